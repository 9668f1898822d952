import { assertEquals } from "@std/assert";
import { pieces, plainText } from "./client/visible.js";

Deno.test("ordinary text of many scripts is left as it is, in one piece", () => {
  for (
    const text of [
      "Plain, with\ttab and\nline feed.",
      "שלום עולם",
      "مرحبا بالعالم",
      "می\u200cخواهم",
      "नमस्ते",
      "👩‍👩‍👧 ❤️ 🏳️‍🌈",
      "e\u0301",
      "日本語",
    ]
  ) assertEquals(pieces(text), [{ text, marked: false }], text);
  assertEquals(pieces(""), []);
  assertEquals(plainText("two\r\nlines"), "two\nlines");
});

Deno.test("what would not be seen is spelt out", () => {
  const hidden = [
    ["\0", "U+0000"],
    ["\x1b", "U+001B"],
    ["\r", "U+000D"],
    ["\x7f", "U+007F"],
    ["\x9b", "U+009B"],
    ["\xad", "U+00AD"],
    ["\u061c", "U+061C"],
    ["\u200b", "U+200B"],
    ["\u200f", "U+200F"],
    ["\u2028", "U+2028"],
    ["\u202e", "U+202E"],
    ["\u2066", "U+2066"],
    ["\ufeff", "U+FEFF"],
    ["\ud800", "U+D800"],
    ["\u{e0041}", "U+E0041"],
    ["\u{e0100}", "U+E0100"],
  ];
  for (const [character, name] of hidden) {
    assertEquals(pieces(`a${character}b`), [
      { text: "a", marked: false },
      { text: name, marked: true },
      { text: "b", marked: false },
    ]);
  }
});

Deno.test("attributes and announcements spell it out too", () => {
  assertEquals(plainText("x\u202ey"), "x[U+202E]y");
});
