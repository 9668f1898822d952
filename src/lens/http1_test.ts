import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "../base/bytes.ts";
import { VeiError } from "../base/errors.ts";
import { ResponseReader } from "./http1.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (parts: Uint8Array[]) => new TextDecoder().decode(concat(...parts));

const SIZED = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Empty: \r\n\r\nhello";
const CHUNKED =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\nA\r\nlo, world!\r\n0\r\n\r\n";

Deno.test("a response reads the same however it is cut", () => {
  for (const [wire, want] of [[SIZED, "hello"], [CHUNKED, "hello, world!"]]) {
    const whole = bytes(wire);
    for (let cut = 0; cut <= whole.length; cut++) {
      const reader = new ResponseReader();
      const body = [...reader.push(whole.subarray(0, cut)), ...reader.push(whole.subarray(cut))];
      assertEquals(text(body), want);
      assertEquals(reader.done, true);
      reader.end();
    }
  }
});

Deno.test("every proper prefix of a response is incomplete", () => {
  for (const wire of [SIZED, CHUNKED]) {
    for (let length = 0; length < wire.length; length++) {
      const reader = new ResponseReader();
      reader.push(bytes(wire.slice(0, length)));
      assertEquals(reader.done, false);
      assertThrows(() => reader.end(), VeiError);
    }
  }
});

const BAD: Record<string, string> = {
  "HTTP/1.0": "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
  "an informational status": "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
  "a bare LF": "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
  "a CR inside a line": "HTTP/1.1 200 OK\r\nA: b\rc\r\nContent-Length: 0\r\n\r\n",
  "a folded field": "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
  "a space before the colon": "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
  "a field twice": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
  "no length": "HTTP/1.1 200 OK\r\n\r\n",
  "both lengths":
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "a signed length": "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
  "compression": "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
  "a chunk extension":
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n",
  "a trailer": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n",
  "a chunk too long": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
  "bytes after the end": SIZED + "x",
  "a byte over 0x7e in a field": "HTTP/1.1 200 OK\r\nA: \u00e9\r\nContent-Length: 0\r\n\r\n",
  "a head without end": "HTTP/1.1 200 OK\r\n" + "A".repeat(20_000),
  "too many fields": "HTTP/1.1 200 OK\r\n" +
    Array.from({ length: 80 }, (_, i) => `A${i}: b\r\n`).join("") + "Content-Length: 0\r\n\r\n",
};

for (const [what, wire] of Object.entries(BAD)) {
  Deno.test(`a response with ${what} is refused`, () => {
    assertThrows(
      () => new ResponseReader().push(bytes(wire)),
      VeiError,
      "not well formed",
    );
  });
}
