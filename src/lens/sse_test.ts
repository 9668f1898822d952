import { assertEquals, assertThrows } from "@std/assert";
import { VeiError } from "../base/errors.ts";
import { readChunk } from "./chat_chunk.ts";
import { readCompletionChunk } from "./completion_chunk.ts";
import { EventReader } from "./sse.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("events read the same however they are cut, inside a character too", () => {
  const wire = bytes('data: {"a":"é€😀"}\n\ndata: [DONE]\n\n');
  for (let cut = 0; cut <= wire.length; cut++) {
    const reader = new EventReader();
    const events = [...reader.push(wire.subarray(0, cut)), ...reader.push(wire.subarray(cut))];
    assertEquals(events, ['{"a":"é€😀"}', "[DONE]"]);
    reader.end();
  }
});

for (
  const [what, wire] of Object.entries({
    "a comment and data": ": hi\ndata: x\n\n",
    "an id field": "id: 1\ndata: x\n\n",
    "two data lines": "data: a\ndata: b\n\n",
  })
) {
  Deno.test(`an event with ${what} is refused`, () => {
    assertThrows(() => new EventReader().push(bytes(wire)), VeiError);
  });
}

Deno.test("comments, which a server sends to keep a connection alive, are dropped", () => {
  assertEquals(new EventReader().push(bytes(":\n\n: hate\n\ndata: x\n\n:\n\n")), ["x"]);
});

Deno.test("an event stream that is not UTF-8, too long or cut off is refused", () => {
  assertThrows(() => new EventReader().push(Uint8Array.of(0x64, 0xff)), VeiError, "UTF-8");
  assertThrows(() => new EventReader().push(bytes("data: " + "x".repeat(300_000))), VeiError);
  const reader = new EventReader();
  reader.push(bytes("data: x\n"));
  assertThrows(() => reader.end(), VeiError, "inside an event");
});

Deno.test("a chunk gives content, finish reason and progress, and nothing else", () => {
  assertEquals(
    readChunk(JSON.stringify({
      id: "leak",
      model: "leak",
      system_fingerprint: "leak",
      timings: { leak: 1 },
      prompt_progress: { total: 9, processed: 3, leak: "leak" },
      choices: [{
        index: 0,
        logprobs: "leak",
        finish_reason: "stop",
        delta: { role: "leak", content: "yes", reasoning_content: "leak", tool_calls: ["leak"] },
      }],
    })),
    [
      { kind: "progress", processed: 3, total: 9 },
      { kind: "text", text: "yes" },
      { kind: "finish", reason: "stop" },
    ],
  );
  for (
    const bad of [
      "x",
      "[]",
      "{}",
      '{"choices":[{},{}]}',
      '{"choices":[{}]}',
      '{"choices":[{"delta":{"content":3}}]}',
      '{"choices":[{"delta":{},"finish_reason":"hate"}]}',
    ]
  ) assertThrows(() => readChunk(bad), VeiError);
});

Deno.test("a bare completion's chunk gives text and finish, and nothing else", () => {
  const chunk = (value: unknown) => readCompletionChunk(JSON.stringify(value));
  assertEquals(chunk({ content: "a", stop: false, tokens: ["leak"], prompt: "leak" }), [
    { kind: "text", text: "a" },
  ]);
  assertEquals(chunk({ content: "", stop: true, stop_type: "limit", generation_settings: {} }), [
    { kind: "finish", reason: "length" },
  ]);
  assertEquals(chunk({ content: "", stop: true, stop_type: "hate" }), [
    { kind: "finish", reason: "stop" },
  ]);
  for (const bad of [{}, { content: 3 }, { content: "", stop: "hate" }, []]) {
    assertThrows(() => chunk(bad), VeiError);
  }
});
