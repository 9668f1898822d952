import { assertEquals } from "@std/assert";
import { seeded } from "../../tests/judge/random.ts";
import { classAt, classesOf, type CodeSet } from "./code_points.ts";
import { BROKEN, type Decoder, decoderOf } from "./utf8.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** @returns the classes that the table makes of the bytes. */
function decode(table: Decoder, bytes: Uint8Array): number[] {
  const out: number[] = [];
  let node = 0;
  for (const byte of bytes) {
    const symbol = table.classOf[byte];
    let entry = table.next[node * table.classCount + symbol];
    if (entry === BROKEN && node !== 0) {
      out.push(table.replacement);
      entry = table.next[symbol];
    }
    if (entry === BROKEN) out.push(table.replacement);
    if (entry < BROKEN) out.push(...table.outputs[-2 - entry]);
    node = Math.max(0, entry);
  }
  if (node !== 0) out.push(table.replacement);
  return out;
}

const SETS: CodeSet[] = [
  [[0x41, 0x5a], [0x7f, 0x81], [0x7fe, 0x801], [0xd7fe, 0xe001], [0xfffd, 0x10001]],
  [[0xd83d, 0xd83d], [0xde00, 0xde3f]],
  [[0x20ac, 0x20ac], [0x1f600, 0x1f64f], [0x10fffe, 0x10ffff]],
];

for (const inUnits of [false, true]) {
  const most = inUnits ? 0xffff : 0x10ffff;
  const classes = classesOf(SETS, most);
  const table = decoderOf(classes, inUnits);
  const expected = (bytes: Uint8Array) => {
    const text = decoder.decode(bytes);
    const characters = inUnits
      ? Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
      : [...text].map((character) => character.codePointAt(0)!);
    return characters.map((one) => classAt(classes, one));
  };
  const name = inUnits ? "UTF-16 code units" : "code points";

  Deno.test(`${name}: every character, as TextDecoder reads it`, () => {
    for (let point = 0; point <= 0x10ffff; point += point < 0x11000 ? 1 : 61) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const bytes = new TextEncoder().encode(String.fromCodePoint(point));
      const [found, wanted] = [decode(table, bytes), expected(bytes)];
      if (found.join() !== wanted.join()) assertEquals(found, wanted, point.toString(16));
    }
  });

  Deno.test(`${name}: 60,000 strings of bytes at the limits, as TextDecoder reads them`, () => {
    const random = seeded(32);
    const limits = [
      ...[0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0],
      ...[0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff, 0xbd],
    ];
    for (let i = 0; i < 60_000; i++) {
      const bytes = Uint8Array.from({ length: 1 + random.below(6) }, () => random.pick(limits));
      const [found, wanted] = [decode(table, bytes), expected(bytes)];
      if (found.join() !== wanted.join()) assertEquals(found, wanted, `${bytes}`);
    }
  });
}
