/** What `diodes/policies/README.md` says that rules see: each sentence of it, tried. */
import { assertEquals } from "@std/assert";
import { inPieces } from "../../tests/tools/cuts.ts";
import { programWith, type WordRule } from "../../tests/tools/policies.ts";
import type { Charset } from "../policy/policy.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** @returns rule, offset and start of the violation, or null. */
function judged(
  rules: readonly (WordRule | string)[],
  content: string | readonly number[],
  charset: Charset = "utf-8",
): number[] | null {
  const bytes = typeof content === "string" ? encode(content) : Uint8Array.from(content);
  const { violation } = inPieces(programWith(rules, charset), bytes, []);
  return violation && [violation.rule, violation.offset, violation.start];
}

const HATE: WordRule = { words: ["hate"] };
/** The number of limit:charset, after one rule. */
const CHARSET = 1;

Deno.test("escapes are what they look like", () => {
  for (const text of ['{"a": "\\u0068ate"}', "&#104;ate", "%68ate", "h\\ate", "aGF0ZQ=="]) {
    assertEquals(judged([HATE], text), null, text);
  }
  assertEquals(judged(["\\\\u0068ate"], '"\\u0068ate"'), [0, 9, 1]);
});

Deno.test("NUL is a character like any other", () => {
  assertEquals(judged([HATE], "ha\0te"), null);
  assertEquals(judged(["ha.te"], "ha\0te"), [0, 4, 0]);
  assertEquals(judged([{ words: ["\0"] }], "a\0"), [0, 1, 1]);
  assertEquals(judged([{ words: ["a"], wholeWords: true }], "a\0"), [0, 1, 0]);
});

Deno.test("combining characters are characters of their own, and nothing is normalised", () => {
  const [one, two] = ["caf\u00e9", "cafe\u0301"];
  assertEquals(judged([{ words: [one] }], two), null);
  assertEquals(judged([{ words: [two] }], one), null);
  assertEquals(judged([{ words: [two] }], two), [0, 5, 0]);
  // Decided by its first byte: whatever follows, the e has come.
  assertEquals(judged([{ words: ["cafe"] }], two), [0, 3, 0]);
  for (const invisible of ["\u200b", "\u00ad", "\u2060", "\u0336", "\ufeff"]) {
    assertEquals(judged([HATE], `ha${invisible}te`), null);
  }
});

Deno.test("invalid UTF-8: the byte that cannot be, from the character that it breaks", () => {
  for (
    const [content, offset, start] of [
      [[0x80], 0, 0], // a byte that none begins with
      [[0x61, 0xc0], 1, 1], // an overlong form
      [[0x61, 0xe0, 0x80], 2, 1],
      [[0xed, 0xa0], 1, 0], // a surrogate
      [[0xf4, 0x90], 1, 0], // above U+10FFFF
      [[0x61, 0xc3, 0x61], 2, 1], // a character broken off by the next one
      [[0x61, 0xe2, 0x82], 3, 1], // and by the end
    ] as const
  ) {
    assertEquals(judged([HATE], content), [CHARSET, offset, start], `${content}`);
  }
});

Deno.test("with bytes, what is no character is one U+FFFD", () => {
  const broken: [content: number[], count: number][] = [
    [[0x80], 1],
    [[0xc3], 1],
    [[0xe2, 0x82], 1],
    [[0xc0, 0xaf], 2],
    [[0xed, 0xa0, 0x80], 3],
  ];
  for (const [content, count] of broken) {
    const all = [0x3c, ...content, 0x3e];
    const text = new TextDecoder().decode(Uint8Array.from(all));
    assertEquals(text.length, count + 2);
    assertEquals(judged([`<\\ufffd{${count}}>`], all, "bytes"), [0, all.length - 1, 0]);
    assertEquals(judged([`<\\ufffd{${count + 1}}>`], all, "bytes"), null);
    assertEquals(judged(["<>"], all, "bytes"), null);
  }
});

Deno.test("of two rules at one byte the first is named, from the leftmost start of both", () => {
  const words = (...some: string[]): WordRule[] => some.map((word) => ({ words: [word] }));
  assertEquals(judged(words("te", "hate"), "I hate"), [0, 5, 2]);
  assertEquals(judged(words("hate", "te"), "I hate"), [0, 5, 2]);
  // A rule and the charset, and the rule's words one after another.
  assertEquals(judged([{ words: ["a"], wholeWords: true }], "a\u00e9", "ascii"), [0, 1, 0]);
  assertEquals(judged(words("\u00e9"), "\u00e9", "ascii"), [CHARSET, 0, 0]);
});
