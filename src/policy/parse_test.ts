import { assert, assertEquals, assertThrows } from "@std/assert";
import { VeiError } from "../base/errors.ts";
import { anyPredicate } from "../../tests/judge/random_predicate.ts";
import { seeded } from "../../tests/judge/random.ts";
import { parsePredicate } from "./parse.ts";
import { formatPredicate } from "./predicate.ts";
import { wholeFile } from "./source.ts";

const parse = (text: string) => parsePredicate(wholeFile(text, "p"));

Deno.test("canonical text: what is written is read as it binds", () => {
  const same = [
    'contains "hate" within 512',
    'contains "hate"',
    "size <= 1400",
    'starts_with "{"',
    'starts_with_any ["{", "["]',
    "all printable within 16",
    "all printable",
    'not contains "a" and size > 2 or size == 0',
    'not (contains "a" and (size > 2 or size == 0))',
    "size < 1 and (size < 2 and size < 3)",
    'contains "\\"\\\\\\x0d\\xc3\\xa9"',
    "all in [0x00, 0x09..0x0a, 0x20..0xff] within 8",
    "all in [0x61]",
    "json_depth == 3",
    "not utf8 and (anything or nothing)",
    "matches /^[/]\\/$/iu",
    "matches /é/",
  ];
  for (const text of same) assertEquals(formatPredicate(parse(text)), text);
  const written: [string, string][] = [
    ["size<1 and size<2 or size<3", "size < 1 and size < 2 or size < 3"],
    ["(((size < 1)))", "size < 1"],
    ["(size < 1 and size < 2) and size < 3", "size < 1 and size < 2 and size < 3"],
    ['starts_with_any ["x"]', 'starts_with "x"'],
    ['contains "é\\n"', 'contains "\\xc3\\xa9\\x0a"'],
    ["not not size < 1", "not not size < 1"],
    ["size\n <\t1", "size < 1"],
    ["size < 0x10", "size < 16"],
    ['contains "\\u{20ac}\\u{0}"', 'contains "\\xe2\\x82\\xac\\x00"'],
    ['all in ["b".."c", 100, 97, 0x63..0x66]', "all in [0x61..0x66]"],
    ['all in ["\\xff", "\\n"]', "all in [0x0a, 0xff]"],
    ["matches /a/usi and size < 1", "matches /a/isu and size < 1"],
  ];
  for (const [text, canonical] of written) assertEquals(formatPredicate(parse(text)), canonical);
});

Deno.test("errors point at the place and say what to do", () => {
  const wrong: [text: string, message: string, hint: string][] = [
    ["", "p:1:1: expected a predicate, found the end", "begin with"],
    ["contain 3", "p:1:1: expected a predicate, found contain", "did you mean contains?"],
    ['startsWith "x"', "p:1:1: expected a predicate, found startsWith", "starts_with?"],
    ["contains hate", "p:1:10: expected a string, found hate", 'such as "hate"'],
    ['contains ""', "p:1:10: an empty string is in every payload", "at least one"],
    ["contains 'hate'", `p:1:10: unexpected "'"`, "double quotes"],
    ['contains "hate', "p:1:10: a string that does not end", "close it"],
    ['contains "a\\q"', 'p:1:12: unknown escape "\\\\q" in a string', "\\xHH"],
    ['contains "a" within', "p:1:20: expected a number of bytes, found the end", "512"],
    ['contains "a"\nwithin x', "p:2:8: expected a number of bytes, found x", "512"],
    ["size 5", "p:1:6: expected a comparison, found 5", "one of <"],
    ["size = 5", 'p:1:6: unexpected "="', "=="],
    ["size < -5", 'p:1:8: unexpected "-"', "not negative"],
    ["size < 70000", "p:1:8: 70000 is too large", "65535"],
    ["size < 12ab", "p:1:8: 12ab is no number", "0x7e"],
    ["size < 0xfffff", "p:1:8: 0xfffff is too large", "65535"],
    ["json_depth <= x", "p:1:15: expected a number of levels, found x", "such as"],
    ["all text", "p:1:5: expected printable or in, found text", "all printable"],
    ["all prinable", "p:1:5: expected printable or in, found prinable", "mean printable?"],
    ["all in 3", 'p:1:8: expected "[", found 3', "a list"],
    ["all in []", "p:1:9: expected a byte, found ]", '"a"'],
    ["all in [1, ]", "p:1:12: expected a byte, found ]", '"a"'],
    ["all in [256]", "p:1:9: 256 is no byte", "0xff"],
    ['all in ["ab"]', 'p:1:9: "ab" is 2 bytes, not one', "matches"],
    ['all in [0, "é"]', 'p:1:12: "é" is 2 bytes, not one', "matches"],
    ["all in [9..8]", "p:1:9: a range that runs backwards", "smaller"],
    ["all in [9-10]", 'p:1:10: unexpected "-"', "0x20..0x7e"],
    ["all in [9.10]", 'p:1:10: unexpected "."', "two dots"],
    ['contains "\\u{d800}"', 'p:1:11: unknown escape "\\\\u" in a string', "\\u{H…}"],
    ['contains "\\u{110000}"', 'p:1:11: unknown escape "\\\\u" in a string', "\\u{H…}"],
    ["jsondepth < 3", "p:1:1: expected a predicate, found jsondepth", "json_depth?"],
    ["utf-8", "p:1:1: expected a predicate, found utf-8", "did you mean utf8?"],
    ["size < 3 adn utf8", "p:1:10: expected the end, and or or, found adn", "did you mean and?"],
    ['contains "a" withn 3', "p:1:14: expected the end, and or or, found withn", "within?"],
    ['matches "a"', 'p:1:9: expected a regular expression, found "a"', "slashes"],
    ["matches /a", "p:1:9: a regular expression that does not end", "with /"],
    ["matches /[/", "p:1:9: a regular expression that does not end", "class"],
    ["matches /a\n/", "p:1:9: a regular expression that does not end", "with /"],
    ["matches //", "p:1:9: an empty regular expression", "every payload"],
    ["matches /a/ within 3", "p:1:13: matches has no within", "{0,8}"],
    ["matches /(a/", "p:1:11: unterminated group", "close"],
    ["matches /a**/", "p:1:12: nothing to repeat", "backslash"],
    ["matches /[z-a]/", "p:1:13: range out of order in character class", "smaller one first"],
    ["matches /\\p{Foo}/u", "p:1:15: invalid property name", "\\p{L}"],
    ["matches /(a)\\1/", "p:1:13: the back-reference \\1 is refused", "write both"],
    ["matches /(?<x>a)\\k<x>/", "p:1:17: the back-reference \\k<x> is refused", "write both"],
    ["utf8 and matches /a(?=b)/", "p:1:20: the look-ahead (?=b) is refused", "and not matches"],
    ["matches /(?<!a)b/", "p:1:10: the look-behind (?<!a) is refused", "and not matches"],
    ["matches /(?i:a)/", "p:1:10: i: within a group is refused", "[aA]"],
    ["matches /a/gi", "p:1:12: flag g is refused", "leave it out"],
    ["matches /a/sy", "p:1:13: flag y is refused", "^"],
    ["matches /a/v", "p:1:12: flag v is refused", "use u"],
    ["matches /a/d", "p:1:12: flag d is refused", "leave it out"],
    ["matches /a/x", "p:1:12: flag x is refused", "flags are i"],
    ["matches /a/iui", "p:1:14: flag i twice", "flags are"],
    [`matches /${"(".repeat(999)}/`, "p:1:210: nested too deeply", "200"],
    ["matches /\ud800/", "p:1:10: half a surrogate pair", "\\xHH"],
    ['starts_with_any "x"', 'p:1:17: expected "[", found "x"', "a list"],
    ['starts_with_any ["x" "y"]', 'p:1:22: expected "]", found "y"', "a list"],
    ["(size < 1", 'p:1:10: expected ")", found the end', "close"],
    ["size < 1 size < 2", "p:1:10: expected the end, and or or, found size", "join"],
    ["size < 1 && size < 2", 'p:1:10: unexpected "&"', "write and"],
    ["not ".repeat(200) + "size < 1", "p:1:401: nested too deeply", "100"],
    ["utf8 or ".repeat(1001) + "utf8", "p:1:8001: too many predicates", "matches"],
    ["x".repeat(500), `p:1:1: expected a predicate, found ${"x".repeat(172)} …`, "begin with"],
    ["x".repeat(70_000), "p:1:1: the predicate is too long", "65536"],
    ['contains "\ud800"', "p:1:11: half a surrogate pair", "\\xHH"],
  ];
  for (const [text, message, hint] of wrong) {
    const error = assertThrows(() => parse(text), VeiError) as VeiError;
    assertEquals(error.message, message);
    assert(error.hint.includes(hint), `${error.hint} lacks ${hint}`);
    assertEquals(error.code, "diode-invalid");
  }
});

Deno.test("random trees survive being written and read", () => {
  const random = seeded(11);
  for (let i = 0; i < 5000; i++) {
    const predicate = anyPredicate(random, 4);
    assertEquals(parse(formatPredicate(predicate)), predicate);
  }
});

/** Texts that use every form there is. */
const EXAMPLES = [
  "utf8 and not matches /\\b(pass ?word|secret)s?\\b/i",
  "matches /^(?<n>[0-9]{1,5}|[^\\/\\]a-z]+?)*\\u{20ac}\\p{Lu}$/mu",
  'json_depth <= 2 and size < 1400 and starts_with_any ["{", "["]',
  'all in ["\\t", "\\n", 0x20..0x7e] within 9 or not (contains "a\\x00\\u{e9}" or nothing)',
  "all printable within 3 and (anything or size == 0xff)",
];

Deno.test("20,000 damaged texts: a tree or an error with a place, never anything else", () => {
  const random = seeded(12);
  const scraps = [
    ...['"', "(", ")", "not ", "within", "\\", "[", "]", ",", "..", "99999", "0x", "é", "\n", "<"],
    ...[
      "\0",
      "/",
      "{",
      "}",
      "{2,1}",
      "(?",
      "(?=",
      "\\1",
      "\\p{",
      "*",
      "^",
      "|",
      "-",
      "\ud800",
      "😀",
    ],
  ];
  for (let i = 0; i < 20_000; i++) {
    let text = random.once(2) ? random.pick(EXAMPLES) : formatPredicate(anyPredicate(random, 3));
    for (let edits = 1 + random.below(3); edits > 0; edits--) {
      const at = random.below(text.length + 1);
      text = text.slice(0, at) + (random.once(2) ? random.pick(scraps) : "") +
        text.slice(at + random.below(3));
    }
    try {
      const tree = parse(text);
      assertEquals(parse(formatPredicate(tree)), tree);
    } catch (error) {
      const positioned = error instanceof VeiError && /^p:\d+:\d+: /.test(error.message);
      assert(positioned, `${JSON.stringify(text)}: ${error}`);
    }
  }
});
