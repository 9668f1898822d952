import { assertEquals, assertRejects } from "@std/assert";
import { readSse } from "./client/sse.js";

/** The stream's items, its bytes cut after every `size`. */
async function read(text: string, size: number) {
  const bytes = new TextEncoder().encode(text);
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) {
        controller.enqueue(bytes.subarray(at, at + size));
      }
      controller.close();
    },
  });
  const items = [];
  for await (const item of readSse(stream)) items.push(item);
  return items;
}

Deno.test("data and comments come the same for every cutting of the bytes", async () => {
  const text =
    ": reading 1/2\n\ndata: {}\n\nid: 1\r\nevent: x\r\ndata: é😀\r\ndata:b\r\n\r\ndata: cut";
  for (let size = 1; size <= text.length; size++) {
    assertEquals(await read(text, size), [
      { comment: "reading 1/2" },
      { data: "{}" },
      { data: "é😀\nb" },
    ], `cut after every ${size}`);
  }
});

Deno.test("a line without end is refused, and not kept", async () => {
  await assertRejects(() => read("data: " + "x".repeat(3 << 20), 1 << 18), RangeError, "no end");
});
