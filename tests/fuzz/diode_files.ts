/** Diode files as nobody would write them: whole ones, and what damage makes of them. */
import { shippedDiode, shippedDiodes } from "../../diodes/shipped.ts";
import { formatPredicate } from "../../src/policy/predicate.ts";
import { type Random, seeded } from "../judge/random.ts";
import { anyPredicate, WHOLE } from "../judge/random_predicate.ts";
import { damage } from "./damage.ts";

const SCRAPS = [
  ...[
    "not ",
    "and ",
    "or ",
    "(",
    ")",
    "[",
    "]",
    ",",
    "..",
    "<",
    ">=",
    "==",
    "=",
    "!",
    "-",
    ".",
    "/",
  ],
  ...["size ", "contains ", "within 3", "matches /", "all in [", "json_depth", "utf8", "nothing"],
  ...["starts_with_any [", '"', "'", '"""', "'''", "\\", "\\x", "\\u{", "\\u{110000}", "\\U", "#"],
  ...[
    "lens = 1\n",
    "[predicate]\n",
    "[[name]]\n",
    "a.b = 2\n",
    "predicate = ''\n",
    "name",
    "scope",
  ],
  ...["0", "65535", "65536", "0xffff", "9".repeat(40), "1e9", "0x", "inf", "1979-05-27", "true"],
  ...[
    "(?=",
    "(?<n>",
    "\\1",
    "\\k<n>",
    "{1000}",
    "{9,1}",
    "[z-a]",
    "\\p{L}",
    "\\p{X}",
    "*+",
    "(?i:",
  ],
  ...["\n", "\r\n", "\r", "\t", "\0", "\x1b[2J", "\x7f", "\u2028", "\ufeff", "é", "😀", "\ud83d"],
  ...["__proto__ = 1\n", "constructor", "\u202e", "\ude00", "  ", "\\\n", "gi", "iuu"],
];

/** @returns the file with this number; always the same. */
export function damagedFile(number: number): string {
  const random = seeded(number);
  let text = wholeFile(random);
  for (let more = random.below(5); more > 0; more--) text = damage(random, text, SCRAPS, wholeFile);
  return text;
}

function wholeFile(random: Random): string {
  return random.once(3) ? shippedDiode(random.pick(shippedDiodes())) : writtenFile(random);
}

/** The four keys in some order, the predicate in some kind of quotes. */
function writtenFile(random: Random): string {
  const predicate = formatPredicate(anyPredicate(random, 4, WHOLE));
  const quoted = random.pick([
    JSON.stringify(predicate),
    `'${predicate}'`,
    `'''${random.once(2) ? "\n" : ""}${
      predicate.replaceAll(" ", () => random.pick([" ", "\n"]))
    }'''`,
    `"""${
      JSON.stringify(predicate).slice(1, -1).replaceAll(" ", () => random.pick([" ", "\\\n "]))
    }"""`,
  ]);
  const lines = [
    'name = "n_1"',
    `description = ${random.once(2) ? '"d"' : "'''\nd'''"}`,
    'scope = "packet"',
    `predicate = ${quoted}`,
  ];
  for (let i = lines.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [lines[i], lines[j]] = [lines[j], lines[i]];
  }
  return lines.join(random.once(8) ? "\r\n" : "\n") + (random.once(4) ? "" : "\n");
}
