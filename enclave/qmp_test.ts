import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VeiError } from "../src/base/errors.ts";
import { LineReader, MAX_LINE_BYTES, parseQmp, Qmp } from "./qmp.ts";

const GREETING = '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}}}}\r\n';

/** A QEMU that answers each command with the next of `answers` (`ID` is replaced). */
function scripted(first: string, answers: string[]) {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const reader = readable.getReader();
  const writer = writable.getWriter();
  const said: string[] = [];
  let left = new Uint8Array();
  const say = (text: string) => writer.write(new TextEncoder().encode(text)).catch(() => {});
  say(first);
  return {
    said,
    async read(into: Uint8Array): Promise<number | null> {
      if (left.length === 0) {
        const next = await reader.read().catch(() => ({ done: true, value: undefined }));
        if (next.done) return null;
        left = next.value as Uint8Array<ArrayBuffer>;
      }
      const count = Math.min(into.length, left.length);
      into.set(left.subarray(0, count));
      left = left.subarray(count);
      return count;
    },
    write(bytes: Uint8Array): Promise<number> {
      const command = JSON.parse(new TextDecoder().decode(bytes));
      said.push(command.execute);
      const answer = answers.shift();
      if (answer === undefined) writer.close().catch(() => {});
      else say(answer.replaceAll("ID", command.id));
      return Promise.resolve(bytes.length);
    },
    close(): void {
      reader.cancel().catch(() => {});
    },
  };
}

const OK = '{"return": {}, "id": "ID"}\r\n';

Deno.test("capabilities, status and quit, with events in between", async () => {
  const qemu = scripted(GREETING, [
    OK,
    '{"timestamp": {}, "event": "RESUME"}\r\n{"return": {"status": "running"}, "id": "ID"}\r\n',
    OK,
  ]);
  using qmp = await Qmp.open(qemu);
  assertEquals(await qmp.status(), "running");
  await qmp.quit();
  assertEquals(qemu.said, ["qmp_capabilities", "query-status", "quit"]);
});

Deno.test("QEMU's end rejects what waits, and is no violation", async () => {
  using qmp = await Qmp.open(scripted(GREETING, [OK]));
  const error = await assertRejects(() => qmp.status(), VeiError);
  assertEquals(error.code, "qmp-ended");
  assertEquals(await qmp.ended, null);
});

Deno.test("whatever is not expected ends the conversation", async () => {
  const many = '{"event": "RESUME"}\n'.repeat(1001);
  for (
    const answer of [
      '{"return": {}, "id": "another"}\n',
      '{"return": {}}\n',
      '{"event": "DEVICE_DELETED"}\n',
      '{"error": {"class": "GenericError", "desc": "no"}, "id": "ID"}\n',
      "hello\n",
      "[]\n",
      many,
      "x".repeat(MAX_LINE_BYTES + 1),
    ]
  ) {
    const error = await assertRejects(() => Qmp.open(scripted(GREETING, [answer])), VeiError);
    assertEquals(error.code, "qmp-violation", answer.slice(0, 40));
  }
});

Deno.test("nesting and length are bounded before JSON is parsed", () => {
  parseQmp(`{"event": "STOP", "data": ${"[".repeat(15)}${"]".repeat(15)}}`);
  parseQmp(`{"event": "STOP", "data": "${"[".repeat(40)}\\"{{{"}`);
  for (const text of ["[".repeat(17), '{"a":'.repeat(20_000), `"${"x".repeat(MAX_LINE_BYTES)}"`]) {
    assertEquals(assertThrows(() => parseQmp(text), VeiError).code, "qmp-violation");
  }
});

Deno.test("lines come out of pieces of any size, and only as UTF-8", () => {
  const reader = new LineReader();
  const bytes = new TextEncoder().encode("één\r\nzwei\ndrei");
  const lines = Array.from(bytes, (byte) => reader.push(Uint8Array.of(byte))).flat();
  assertEquals(lines, ["één", "zwei"]);
  assertThrows(() => new LineReader().push(Uint8Array.of(0xff)), VeiError);
});
