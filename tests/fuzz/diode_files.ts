/** Diode files as nobody would write them: whole ones, and what damage makes of them. */
import { shippedDiode, shippedDiodes } from "../../diodes/shipped.ts";
import { formatPredicate } from "../../src/policy/predicate.ts";
import { type Random, seeded } from "../judge/random.ts";
import { anyPredicate, WHOLE } from "../judge/random_predicate.ts";

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
  for (let more = random.below(5); more > 0; more--) text = damage(random, text);
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

function damage(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const length = random.once(3) ? random.below(40) : random.below(4);
  const [before, cut, after] = [
    text.slice(0, at),
    text.slice(at, at + length),
    text.slice(at + length),
  ];
  switch (random.below(10)) {
    case 0:
      return before + after;
    case 1:
      return before + cut + cut + after;
    case 2:
      return before;
    case 3:
      return before + String.fromCharCode(random.below(random.once(4) ? 0x10000 : 0x80)) +
        text.slice(at + 1);
    case 4: {
      const other = wholeFile(random);
      return before + other.slice(random.below(other.length));
    }
    case 5: {
      const piece = random.once(2) ? random.pick(SCRAPS) : cut;
      return before + piece.repeat(random.pick([2, 50, 300])) + after;
    }
    case 6:
      return text.replace(/[0-9]+/, random.pick(["0", "1", "65535", "65536", "4294967296"]));
    default:
      return before + random.pick(SCRAPS) + (random.once(2) ? cut : "") + after;
  }
}
