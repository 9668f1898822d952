import { assert, assertEquals } from "@std/assert";
import { parsePredicate } from "../policy/parse.ts";
import { wholeFile } from "../policy/source.ts";
import { seeded } from "../../tests/judge/random.ts";
import { compilePredicate } from "./compile.ts";
import { decide } from "./dfa.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** @returns the predicate's verdict, as a function of a payload. */
function compiled(predicate: string): (payload: Uint8Array | string) => boolean {
  const dfa = compilePredicate(parsePredicate(wholeFile(predicate, "p")));
  return (payload) => decide(dfa, typeof payload === "string" ? encode(payload) : payload).accepted;
}

Deno.test("one byte less, just as many, one byte more", () => {
  const x = (n: number) => "x".repeat(n);
  const rows: [predicate: string, payloads: string[], accepted: string][] = [
    ["size < 5", ["", x(4), x(5), x(6)], "++--"],
    ["size <= 5", ["", x(4), x(5), x(6)], "+++-"],
    ["size > 5", ["", x(4), x(5), x(6)], "---+"],
    ["size >= 5", ["", x(4), x(5), x(6)], "--++"],
    ["size == 5", ["", x(4), x(5), x(6)], "--+-"],
    ["size == 0", ["", "x"], "+-"],
    ["size < 0", ["", "x"], "--"],
    ["size < 1400", [x(1399), x(1400), x(1401)], "+--"],
    ['starts_with "abc"', ["", "ab", "abc", "abcd", "xabc"], "--++-"],
    ['starts_with_any ["abc", "b"]', ["", "ab", "abc", "b", "ba", "c"], "--+++-"],
    ['contains "abc"', ["", "ab", "abc", "xabcx", "ababc", "abxc"], "--+++-"],
    ['contains "abc" within 4', ["abc", "xabc", "xxabc", "abcx", "xab", "abcxx"], "++-+-+"],
    ['contains "abc" within 3', ["abc", "xabc", "ab"], "+--"],
    ['contains "abc" within 2', ["abc", "ab", ""], "---"],
    ["all printable", ["", " ~", "\x1f", "a\x7f", x(2000)], "++--+"],
    ["all printable within 4", ["", x(3), x(3) + "\n", x(4) + "\n", x(5), "\n"], "++-++-"],
    ["all printable within 0", ["", "\n"], "++"],
    ['all in ["a".."c", "\\n"] within 3', ["", "ab", "abd", "abcd", "\ncad", "d"], "++-++-"],
    ["all in [0x80..0xff]", ["", "é", "e", "é€😀"], "++-+"],
    ["json_depth <= 2", ["", "1", "[[", "[[[", "[[]][[]]", "[{}]", "[{[", "]]][[["], "+++-++--"],
    ["json_depth < 2", ["", "{", "{[", "{}{}{}", "}}{"], "++-++"],
    ["json_depth > 2", ["", "[[", "[[[", "[][][]", "[[]["], "--+--"],
    ["json_depth >= 2", ["", "[", "[[", "[[["], "--++"],
    ["json_depth == 2", ["", "[", "[[", "[[[", "[[]][[]]", "[[]][[[", "[]"], "--+-+--"],
    ["json_depth == 0", ["", "1", "]", "[", '"["'], "+++-+"],
    ["json_depth >= 0", ["", "["], "++"],
    ["json_depth < 0", ["", "["], "--"],
    ["json_depth <= 1", ['{"[":1}', '{"\\"[":1}', '{"\\\\"[', '"[[\n[', "\\[[", '"\\'], "++-+-+"],
    ["utf8", ["", "a", "é€😀", "\u{10ffff}", "\ud7ff\ue000"], "+++++"],
    ["anything", ["", "x"], "++"],
    ["nothing", ["", "x"], "--"],
    ["matches /^[a-c]{2}$/", ["", "a", "ab", "abc", "ad"], "--+--"],
    ["matches /b/", ["", "a", "abc"], "--+"],
    ["not matches /b/ and size < 3", ["", "aa", "aaa", "b"], "++--"],
  ];
  for (const [predicate, payloads, accepted] of rows) {
    const verdict = compiled(predicate);
    assertEquals(
      [predicate, payloads.map((payload) => verdict(payload) ? "+" : "-").join("")],
      [predicate, accepted],
    );
  }
});

Deno.test("json_depth: 40,000 payloads measured by the words of the manual", () => {
  const depth = (payload: string) => {
    let [level, most, inString] = [0, 0, false];
    for (let i = 0; i < payload.length; i++) {
      const c = payload[i];
      if (inString) {
        if (c === "\\") i++;
        else if (c === '"') inString = false;
      } else if (c === '"') inString = true;
      else if ("[{".includes(c)) most = Math.max(most, ++level);
      else if ("]}".includes(c)) level = Math.max(0, level - 1);
    }
    return most;
  };
  const random = seeded(33);
  for (const comparison of ["<", "<=", ">", ">=", "=="]) {
    for (let bound = 0; bound < 5; bound++) {
      const verdict = compiled(`json_depth ${comparison} ${bound}`);
      const holds = Function("d", `return d ${comparison} ${bound}`) as (d: number) => boolean;
      for (let i = 0; i < 1600; i++) {
        const payload = Array.from(
          { length: random.below(12) },
          () => random.pick([...'[{[{]}"\\a']),
        ).join("");
        assert(verdict(payload) === holds(depth(payload)), `${comparison} ${bound}: ${payload}`);
      }
    }
  }
});

Deno.test("json_depth: of JSON texts it is the depth that JSON.parse finds", () => {
  const nesting = (value: unknown): number =>
    typeof value === "object" && value !== null
      ? 1 + Math.max(0, ...Object.values(value).map(nesting))
      : 0;
  const random = seeded(34);
  const any = (depth: number): unknown => {
    if (depth === 0 || random.once(3)) return random.pick([1, null, true, "]", '"[{\\', "a\n"]);
    const inside = Array.from({ length: random.below(3) }, () => any(depth - 1));
    return random.once(2)
      ? inside
      : Object.fromEntries(inside.map((one) => [random.pick(['{"', "\\", "k"]), one]));
  };
  const exactly = [0, 1, 2, 3, 4, 5].map((n) => compiled(`json_depth == ${n}`));
  for (let i = 0; i < 3000; i++) {
    const text = JSON.stringify(any(5), null, random.pick([0, 2]));
    const depth = nesting(JSON.parse(text));
    assertEquals(exactly.map((verdict) => verdict(text)).indexOf(true), depth, text);
  }
});

Deno.test("utf8: exactly the pieces of valid texts, by trying what may stand around them", () => {
  const decoder = new TextDecoder();
  const valid = (bytes: number[]) => !decoder.decode(Uint8Array.from(bytes)).includes("\ufffd");
  // What can complete a cut character: any lead before, and these few behind.
  const before = [[], [0xc2], [0xe1], [0xe1, 0x80], [0xf1], [0xf1, 0x80], [0xf1, 0x80, 0x80]];
  const after = [[], [0x80], [0x80, 0x80], [0x80, 0x80, 0x80], [0xa0, 0x80], [0x90, 0x80, 0x80]];
  const isPiece = (bytes: number[]) =>
    before.some((head) => after.some((tail) => valid([...head, ...bytes, ...tail])));
  const verdict = compiled("utf8");
  const limits = [
    ...[0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1],
    ...[0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff],
  ];
  const check = (bytes: number[]) => {
    assertEquals(verdict(Uint8Array.from(bytes)), isPiece(bytes), `${bytes}`);
  };
  for (const a of limits) {
    for (const b of limits) {
      check([a, b]);
      for (const c of limits) check([a, b, c]);
    }
  }
  const random = seeded(35);
  for (let i = 0; i < 4000; i++) {
    check(Array.from({ length: random.below(9) }, () => random.pick(limits)));
  }
  const text = encode("aé€😀\u{10ffff}");
  for (let from = 0; from <= text.length; from++) {
    for (let to = from; to <= text.length; to++) check([...text.subarray(from, to)]);
  }
});
