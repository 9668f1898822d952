import { assert, assertEquals, assertThrows } from "@std/assert";
import { readRegex } from "../policy/regex.ts";
import { type Random, seeded } from "../../tests/judge/random.ts";
import { type ByteAutomaton, settledStates } from "./byte_automaton.ts";
import { compileRegex } from "./regex.ts";
import { RegexTooLarge } from "./regex_nfa.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const compile = (source: string, flags = "") => compileRegex(readRegex(source, flags));

function accepts({ classOf, raw }: ByteAutomaton, payload: Uint8Array): boolean {
  let state = raw.start;
  for (const byte of payload) state = raw.next[state * raw.classCount + classOf[byte]];
  return raw.accepting[state] === 1;
}

/**
 * JavaScript's own answer. With flag u V8 also looks between the two halves of a character, where
 * there is no place by the standard, so each place is asked for by itself.
 */
function judge(source: string, flags: string): (payload: Uint8Array) => boolean {
  const sticky = new RegExp(source, `${flags}y`);
  return (payload) => {
    const text = decoder.decode(payload);
    for (let at = 0; at <= text.length; at++) {
      const within = /^[\udc00-\udfff]/.test(text.slice(at)) && at > 0;
      if (within && sticky.unicode) continue;
      sticky.lastIndex = at;
      if (sticky.test(text)) return true;
    }
    return false;
  };
}

/** Characters in which cases, words, lines, units and bytes are at odds. */
const CHARACTERS = [
  ..."abAkKsS_ 0\n\réÉßẞıIiİſ\u212aΣςσµμάώǆǅǄﬅﬆΐ\u1fd3ÅåÅᾳᾼ\u2028\ufeff\ufffd",
  ..."😀😎𐐀𐐨\ud7ff\ue000\u{10ffff}Ꭰꭰ",
];

const ELEMENTS = [
  ..."abkSIé",
  ..."ſ\u212aΣßıİµ",
  ...["\\u212a", "\\n", "\\t", "\\ud83d", "\\ude00", "\\ufffd", "\\x41", "\\u2028", "\\.", "😀"],
  ...[
    "[^a]",
    "[a-c]",
    "[k-s]",
    "[^k]",
    "[À-ÿ]",
    "[ά-ω]",
    "[^]",
    "[]",
    "[\\W]",
    "[^\\w]",
    "[^\\W_]",
  ],
  ...["[\\d\\s-]", "[\\b]", "[a-é😀]", "\\w", "\\W", "\\d", "\\D", "\\s", "\\S", ".", "."],
  ...["\\b", "\\B", "^", "$"],
];
const UNICODE_ELEMENTS = [
  "\\u{1f600}",
  "[😀-😎]",
  "[^😀]",
  "𐐨",
  "\\p{Lu}",
  "\\P{Lu}",
  "[^\\p{Ll}a]",
];
const REPETITIONS = ["*", "+", "?", "*?", "+?", "{2}", "{1,3}", "{0,2}?", "{2,}", "{0}", "{3,4}"];

function anyRegex(random: Random, depth: number, unicode: boolean): string {
  if (depth === 0 || random.once(4)) {
    return random.pick(unicode && random.once(4) ? UNICODE_ELEMENTS : ELEMENTS);
  }
  const part = () => anyRegex(random, depth - 1, unicode);
  switch (random.below(6)) {
    case 0:
      return `${part()}|${random.once(4) ? "" : part()}`;
    case 1:
    case 2:
      return `(?:${part()})${random.pick(REPETITIONS)}`;
    case 3:
      return `(${random.once(2) ? `?<n${random.below(1e9)}>` : ""}${part()})`;
    default:
      return part() + part();
  }
}

/** A few characters, some cut, some bytes that are none. */
function anyPayload(random: Random): Uint8Array {
  const bytes: number[] = [];
  for (let pieces = random.below(6); pieces > 0; pieces--) {
    const character = encode(random.pick(CHARACTERS));
    const kind = random.below(10);
    if (kind === 0) bytes.push(...character.subarray(0, random.below(character.length)));
    else if (kind === 1) bytes.push(random.below(256));
    else if (kind === 2) bytes.push(0x80 + random.below(0x40));
    else bytes.push(...character);
  }
  return Uint8Array.from(bytes);
}

Deno.test("random expressions: 24,000 payloads are judged as by JavaScript's RegExp", () => {
  const random = seeded(31);
  for (let i = 0; i < 600; i++) {
    const unicode = random.once(2);
    const source = anyRegex(random, 4, unicode);
    const flags = [..."ims"].filter(() => random.once(2)).join("") + (unicode ? "u" : "");
    const automaton = compile(source, flags);
    const expected = judge(source, flags);
    for (let j = 0; j < 40; j++) {
      const payload = anyPayload(random);
      const [found, wanted] = [accepts(automaton, payload), expected(payload)];
      assert(found === wanted, `/${source}/${flags} on [${payload}]: ${found}, not ${wanted}`);
    }
  }
});

Deno.test("counted repetitions: every count from nothing to beyond the bound", () => {
  const counts = ["{3}", "{2,}", "{2,4}", "{0,3}", "{0}", "?", "*", "+", "{1,2}{2,3}", "{2}{0,2}"];
  for (const count of counts) {
    for (const [before, after] of [["^", "$"], ["^", "b"], ["b", "b"], ["", "b"], ["b", ""]]) {
      const body = count.includes("}{") ? `(?:a${count.replace("}{", "}){")}` : `a${count}`;
      const source = before + body + after;
      const automaton = compile(source);
      for (let n = 0; n < 12; n++) {
        for (const text of ["a", "ba", "ab", "bab"].map((t) => t.replace("a", "a".repeat(n)))) {
          assertEquals(accepts(automaton, encode(text)), new RegExp(source).test(text), source);
        }
      }
    }
  }
});

Deno.test("broken UTF-8 is U+FFFD, a maximal piece at a time", () => {
  const only = compile("^\\ufffd*$");
  const counts: [bytes: number[], count: number][] = [
    [[], 0],
    [[0x80], 1],
    [[0x80, 0xbf], 2],
    [[0xe2, 0x82], 1],
    [[0xe2, 0x82, 0xe2, 0x82], 2],
    [[0xe0, 0x80], 2],
    [[0xed, 0xa0, 0x80], 3],
    [[0xf0, 0x9f, 0x98], 1],
    [[0xf4, 0x90, 0x80, 0x80], 4],
    [[0xc0, 0xaf], 2],
    [[0xff, 0xfe], 2],
    [[0xef, 0xbf, 0xbd], 1],
  ];
  for (const [bytes, count] of counts) {
    const payload = Uint8Array.from(bytes);
    assert(accepts(only, payload), `${bytes}`);
    assert(accepts(compile(`^.{${count}}$`), payload), `${bytes}`);
    assertEquals(decoder.decode(payload).length, count);
  }
});

Deno.test("a match is known at the first byte after which it is sure", () => {
  const sureAt = (source: string, text: string) => {
    const { classOf, raw } = compile(source);
    const universal = settledStates(raw, 1);
    let state = raw.start;
    const bytes = encode(text);
    for (let i = 0; i < bytes.length; i++) {
      state = raw.next[state * raw.classCount + classOf[bytes[i]]];
      if (universal[state]) return i;
    }
    return bytes.length;
  };
  assertEquals(sureAt("hate", "I hate Mondays"), 5);
  assertEquals(sureAt("hate+", "I hate Mondays"), 5);
  assertEquals(sureAt("\\bhate\\b", "I hate Mondays"), 6);
  assertEquals(sureAt("hate$", "I hate"), 6);
  assertEquals(sureAt("€", "1 €!"), 4);
});

Deno.test("what looks explosive and is not", () => {
  const small: [source: string, states: number][] = [
    ["(a|a)*b", 2],
    ["(a*)*b", 2],
    ["((a|b)*)*c", 2],
    ["((a{1,100}){1,100}){1,100}", 2],
    ["(?:a?){50}a{50}$", 51],
    ["a[ab]{20}", 22],
    ["[ab]{0,300}a[ab]{0,300}$", 302],
    ["(.*a){20}", 59],
    ["((){99999}){99999}a", 2],
  ];
  for (const [source, states] of small) {
    assertEquals([source, compile(source).raw.stateCount], [source, states]);
  }
});

Deno.test("what explodes is refused soon, by the part that grows", () => {
  const large: [source: string, part: string][] = [
    ["a(a|b){20}c", "(a|b){20}"],
    ["x+y*.*.{30}x.{30}$", ".{30}"],
    ["(?:a{1000}){1000}b", "a{1000}"],
    ["a{99999999999999999999}b", "a{99999999999999999999}"],
    ["((a{100}){100}){100}b", "a{100}"],
  ];
  for (const [source, part] of large) {
    const start = performance.now();
    const error = assertThrows(() => compile(source), RegexTooLarge) as RegexTooLarge;
    assertEquals(source.slice(error.part.start).startsWith(error.part.raw), true, source);
    assertEquals(error.part.raw, part, source);
    assert(performance.now() - start < 30_000, `${source}: ${performance.now() - start} ms`);
  }
});
