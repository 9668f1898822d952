/** Policy files as nobody would write them: whole ones, and what damage makes of them. */
import { type Random, seeded } from "../judge/random.ts";
import { anyRegex } from "../judge/random_regex.ts";
import { damage } from "./damage.ts";

const SCRAPS = [
  ...["[[forbid]]\n", "[[require]]\n", "[[example]]\n", "[limits]\n", "[forbid]\n", "[[limits]]\n"],
  ...[
    "id = 'limit:x'\n",
    "words = []\n",
    "regex = ''\n",
    "json = {}\n",
    "within = -1\n",
    "at = 9\n",
  ],
  ...[
    "allow_everything = true\n",
    "allow_everything = 1\n",
    "whole_words = 1\n",
    "max_hold = 'all'\n",
  ],
  ...["max_bytes = 0\n", "charset = 'x'\n", "applies_to = ['input', 3]\n", "max_depth = 1e9\n"],
  ...["forbid = [{", "a.b.c = 1\n", "forbid.id = 2\n", "{", "}", "[", "]", ",", "=", ".", "#", ":"],
  ...[
    '"',
    "'",
    '"""',
    "'''",
    "\\",
    "\\u00",
    "\\U00110000",
    "\\ud800",
    "\\x1b",
    "\\\n",
    "\\/",
    "null",
  ],
  ...["0", "-1", "1.0", "9".repeat(40), "inf", "nan", "1979-05-27 07:32:00", "07:32:00", "true"],
  ...[
    "(?=",
    "(?<n>",
    "\\\\1",
    "\\k<n>",
    "{1000}",
    "{9,1}",
    "[z-a]",
    "\\p{L}",
    "*+",
    "(?i:",
    "(?i)",
  ],
  ...["\n", "\r\n", "\r", "\t", "\0", "\x1b[2J", "\x7f", "\u2028", "\ufeff", "é", "😀", "\ud83d"],
  ...["__proto__ = 1\n", '"__proto__"', "constructor", "toString = 1\n", "\u202e", "[".repeat(30)],
];

const KEYS = [
  ...[
    "name",
    "version",
    "description",
    "allow_everything",
    "limits",
    "forbid",
    "require",
    "example",
  ],
  ...[
    "max_bytes",
    "max_time",
    "charset",
    "max_hold",
    "id",
    "regex",
    "words",
    "whole_words",
    "json",
  ],
  ...["ignore_case", "applies_to", "within", "max_depth", "text", "verdict", "rule", "at", "wrods"],
];
const VALUES = [
  ...[
    "0",
    "1",
    "-1",
    "1.5",
    "1e3",
    "9007199254740993",
    "true",
    "false",
    "inf",
    "07:32:00",
    "[]",
    "{}",
  ],
  ...[
    '""',
    '"all"',
    '"pass"',
    '"violation"',
    '"r0"',
    '"r9"',
    '"limit:charset"',
    '"limit:max_bytes"',
  ],
  ...["'a'", "'[ab]+'", "'(?=a)'", "'\\1'", "'a{9,1}'", "'[z-a]'", '"\\u0000"', "[1]", '[["a"]]'],
  ...[
    '["input"]',
    '["input", "input"]',
    '[""]',
    '"input"',
    '"5 min"',
    '"1 KiB"',
    '"9 GiB"',
    "[{}]",
  ],
  ...[
    "{ max_depth = 1 }",
    "{ max_depth = 1.0 }",
    "{ max_depth = 'a' }",
    "{ depth = 1 }",
    '"ascii"',
  ],
];

/** @returns the file with this number; always the same. */
export function damagedPolicy(number: number): string {
  const random = seeded(number);
  let text = wholePolicy(random);
  // Most damage leaves no TOML; what does has to reach further into the reader.
  const misread = random.once(2);
  for (let more = random.below(4); more > 0; more--) {
    text = misread ? exchange(random, text) : damage(random, text, SCRAPS, wholePolicy);
  }
  return text;
}

/** @returns the text with another key, another value or another line where there was one. */
function exchange(random: Random, text: string): string {
  const pairs = [...text.matchAll(/\b([a-z_]+) = ("[^"\n]*"|'[^'\n]*'|[^\s,]+)/g)];
  if (pairs.length === 0) return text;
  const { 0: pair, 1: key, index } = random.pick(pairs);
  const [before, after] = [text.slice(0, index), text.slice(index + pair.length)];
  switch (random.below(5)) {
    case 0:
      return before + pair.replace(key, random.pick(KEYS)) + after;
    case 1:
      return before + after.replace(/^[ ,]*\n?/, "");
    case 2:
      return `${before}${pair}\n${random.pick(KEYS)} = ${random.pick(VALUES)}${after}`;
    default:
      return `${before}${key} = ${random.pick(VALUES)}${after}`;
  }
}

function wholePolicy(random: Random): string {
  return random.once(6) ? jsonList(random) : tomlFile(random);
}

/** Some rules of each kind, one in three as inline tables, with limits and examples or without. */
function tomlFile(random: Random): string {
  const rules = Array.from({ length: 1 + random.below(3) }, (_, i) => ruleOf(random, `r${i}`));
  const inline = random.once(3);
  const tables = (key: string, all: string[][]) => {
    if (all.length === 0) return "";
    if (inline) return `${key} = [\n${all.map((one) => `  { ${one.join(", ")} },\n`).join("")}]\n`;
    return all.map((one) => `[[${key}]]\n${one.join("\n")}\n`).join("");
  };
  const of = (kind: string) => rules.filter((one) => one.kind === kind).map(({ lines }) => lines);
  const examples = Array.from({ length: random.below(2) }, () => exampleOf(random));
  const limits = random.once(2) ? limitsOf(random) : [];
  return [
    'name = "n"\nversion = "1"\n',
    `description = ${quoted(random, "what it\nis")}\n`,
    inline && limits.length > 0 ? `limits = { ${limits.join(", ")} }\n` : "",
    tables("forbid", of("forbid")),
    tables("require", of("require")),
    tables("example", examples),
    !inline && limits.length > 0 ? `[limits]\n${limits.join("\n")}\n` : "",
  ].join(random.once(3) ? "\n# a comment\n" : "");
}

function ruleOf(random: Random, id: string): { kind: string; lines: string[] } {
  const lines = [`id = "${id}"`];
  if (random.once(3)) lines.push(`description = ${quoted(random, "why")}`);
  const flag = random.once(2) ? ["ignore_case = true"] : [];
  const regex = () => `regex = ${quoted(random, anyRegex(random, 3).source)}`;
  switch (random.below(4)) {
    case 0:
      return { kind: "forbid", lines: [...lines, regex(), ...flag] };
    case 1:
      return { kind: "require", lines: [...lines, regex(), ...flag] };
    case 2:
      return { kind: "require", lines: [...lines, `json = { max_depth = ${random.below(20)} }`] };
  }
  lines.push(`words = [${quoted(random, "hate")}, ${quoted(random, "ö\\n")}]`, ...flag);
  if (random.once(2)) lines.push("whole_words = true", 'applies_to = ["input", "output"]');
  if (random.once(2)) lines.push(`within = ${1 + random.below(99)}`);
  return { kind: "forbid", lines };
}

function exampleOf(random: Random): string[] {
  const lines = [`text = ${quoted(random, 'some "text" or o\u0308ther')}`];
  if (random.once(2)) return [...lines, 'verdict = "pass"'];
  return [...lines, 'verdict = "violation"', `at = ${random.below(20)}`];
}

function limitsOf(random: Random): string[] {
  return [
    `max_bytes = ${1 + random.below(99)}`,
    ...random.once(2) ? ['max_time = "5 min"'] : [],
    `charset = "${random.pick(["utf-8", "ascii", "printable", "bytes"])}"`,
    `max_hold = ${random.pick(['"64 KiB"', '"all"', "7"])}`,
  ];
}

/** @returns the text as one of the four kinds of string that can hold it. */
function quoted(random: Random, text: string): string {
  const basic = JSON.stringify(text);
  const plain = !/['\n]/.test(text);
  const kinds = [basic, `"""${random.once(2) ? "\n" : ""}${basic.slice(1, -1)}"""`];
  if (plain) kinds.push(`'${text}'`, `'''${random.once(2) ? "\n" : ""}${text}'''`);
  return random.pick(kinds);
}

function jsonList(random: Random): string {
  const rules = Array.from({ length: 1 + random.below(3) }, (_, i) => ({
    id: `R${i}`,
    type: "deny_regex",
    pattern: (random.once(2) ? "(?i)" : "") + anyRegex(random, 3).source,
    ...random.once(2) ? { description: "why" } : {},
  }));
  return JSON.stringify(rules, null, random.below(3));
}
