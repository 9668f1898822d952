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
    ["all text", "p:1:5: expected printable, found text", "all printable"],
    ['starts_with_any "x"', 'p:1:17: expected "[", found "x"', "a list"],
    ['starts_with_any ["x" "y"]', 'p:1:22: expected "]", found "y"', "a list"],
    ["(size < 1", 'p:1:10: expected ")", found the end', "close"],
    ["size < 1 size < 2", "p:1:10: expected the end, and or or, found size", "join"],
    ["size < 1 && size < 2", 'p:1:10: unexpected "&"', "write and"],
    ["not ".repeat(200) + "size < 1", "p:1:401: nested too deeply", "100"],
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

Deno.test("20,000 damaged texts: a tree or an error with a place, never anything else", () => {
  const random = seeded(12);
  const scraps = ['"', "(", ")", "not ", "within", "\\", "[", ",", "99999", "é", "\n", "<", "\0"];
  for (let i = 0; i < 20_000; i++) {
    let text = formatPredicate(anyPredicate(random, 3));
    for (let edits = 1 + random.below(3); edits > 0; edits--) {
      const at = random.below(text.length + 1);
      text = text.slice(0, at) + (random.once(2) ? random.pick(scraps) : "") +
        text.slice(at + random.below(3));
    }
    try {
      parse(text);
    } catch (error) {
      const positioned = error instanceof VeiError && /^p:\d+:\d+: /.test(error.message);
      assert(positioned, `${JSON.stringify(text)}: ${error}`);
    }
  }
});
