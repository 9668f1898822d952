import { assertEquals, assertThrows } from "@std/assert";
import { base64, unbase64 } from "./base64.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

Deno.test("the vectors of RFC 4648, section 10, both ways", () => {
  const vectors = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
  for (const [length, text] of vectors.entries()) {
    const bytes = bytesOf("foobar".slice(0, length));
    assertEquals(base64(bytes), text);
    assertEquals(unbase64(text), bytes);
  }
});

Deno.test("every byte, and every length around a part of the work, comes back", () => {
  for (const length of [256, 0x7fff, 0x8000, 0x8001, 0x10000, 0x18005]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
    const text = base64(bytes);
    assertEquals(text.length, 4 * Math.ceil(length / 3));
    assertEquals(unbase64(text), bytes);
  }
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  assertEquals(base64(all).slice(-8), "/P3+/w==");
});

Deno.test("one text for each byte string: any other spelling is refused", () => {
  for (
    const text of ["Zg", "Zg=", "Zh==", "Zm9=", "Zg==\n", " Zg==", "Z g==", "Zm9v=", "Zg==Zg=="]
  ) {
    assertThrows(() => unbase64(text), SyntaxError, "Cannot read base64", text);
  }
  for (const text of ["-_8=", "Zm9\u00e9", "Zm9\u0176", "====", "A"]) {
    assertThrows(() => unbase64(text), SyntaxError, "Cannot read base64", text);
  }
});
