import { assertEquals, assertThrows } from "@std/assert";
import { VeiError } from "../base/errors.ts";
import { since } from "./logs.ts";

const NOW = Date.parse("2030-01-02T12:00:00Z");
const event = (id: number, time: string) => ({ id, time, kind: "daemon" as const, message: "" });

Deno.test("--since takes an event's number, a time that has passed, and a date", () => {
  const events = [
    event(1, "2030-01-01T00:00:00.000Z"),
    event(2, "2030-01-02T11:49:59.000Z"),
    event(3, "2030-01-02T11:50:00.000Z"),
  ];
  const chosen = (text?: string) => events.filter(since(text, NOW)).map(({ id }) => id);
  assertEquals(chosen(), [1, 2, 3]);
  assertEquals(chosen("2"), [2, 3]);
  assertEquals(chosen("10 min"), [3]);
  assertEquals(chosen("2030-01-02"), [2, 3]);
  assertEquals(chosen("2030-01-02T11:50:00Z"), [3]);
  assertEquals(chosen("2030-01-02T12:50:00+01:00"), [3]);
});

Deno.test("what is no time is refused, not guessed at", () => {
  for (const text of ["", "yesterday", "-5", "5 weeks", "2030-13-45", "1e3"]) {
    const thrown = assertThrows(() => since(text, NOW), VeiError);
    assertEquals(thrown.code, "usage", text);
  }
});
