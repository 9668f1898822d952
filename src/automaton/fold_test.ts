import { assertEquals } from "@std/assert";
import { closeUnderCase } from "./fold.ts";

/** @returns the code points in the set's ranges. */
const points = (set: readonly (readonly [number, number])[]) =>
  set.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));

/** Every code point that any case mapping changes, and some that none does. */
function cased(most: number): number[] {
  const changes = /[\p{Changes_When_Casemapped}\p{Changes_When_NFKC_Casefolded}]/u;
  const found: number[] = [];
  for (let point = 0; point <= most; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    if (changes.test(String.fromCodePoint(point))) found.push(point);
  }
  return found;
}

for (const unicode of [false, true]) {
  const name = unicode ? "with flag u" : "without flag u";
  Deno.test(`${name}: exactly the characters that RegExp holds equal`, () => {
    const all = cased(unicode ? 0x10ffff : 0xffff);
    const text = String.fromCodePoint(...all.slice(0, 60_000));
    for (const point of all) {
      const closed = closeUnderCase([[point, point]], unicode);
      const escape = unicode ? `\\u{${point.toString(16)}}` : `\\u${hex4(point)}`;
      const same = new RegExp(escape, unicode ? "giu" : "gi");
      const expected = [...text.matchAll(same)].map(([found]) => found.codePointAt(0)!);
      if (!expected.includes(point)) expected.push(point);
      assertEquals(points(closed), expected.sort((a, b) => a - b), escape);
    }
  });
}

const hex4 = (point: number) => point.toString(16).padStart(4, "0");

Deno.test("the short cut for ASCII says what the table says", () => {
  for (const unicode of [false, true]) {
    for (let point = 0; point < 0x80; point++) {
      // A set with one character beyond ASCII is looked up in the table.
      const short = points(closeUnderCase([[point, point]], unicode));
      const table = points(closeUnderCase([[point, point], [0x4e00, 0x4e00]], unicode));
      assertEquals(short, table.filter((one) => one !== 0x4e00));
    }
    const most = unicode ? 0x10ffff : 0xffff;
    const beyond = closeUnderCase([[0x80, most]], unicode);
    const ascii = points(closeUnderCase([[0x80, 0xfffc]], unicode)).filter((one) => one < 0x80);
    assertEquals(points(beyond).filter((one) => one < 0x80), ascii);
  }
});
