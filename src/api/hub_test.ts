import { assertEquals } from "@std/assert";
import { EventHub } from "./hub.ts";

Deno.test("many exchanges do not push out what the gate did, nor the other way", () => {
  const hub = new EventHub(3);
  const publish = (kind: "drop" | "exchange", message: string) =>
    hub.publish({ time: "", kind, message });
  for (let i = 1; i <= 2; i++) publish("drop", `d${i}`);
  for (let i = 1; i <= 50; i++) publish("exchange", `e${i}`);
  for (let i = 3; i <= 4; i++) publish("drop", `d${i}`);
  const kept = hub.latest(100);
  assertEquals(kept.map(({ message }) => message), ["d2", "e48", "e49", "e50", "d3", "d4"]);
  assertEquals(kept.map(({ id }) => id), [2, 50, 51, 52, 53, 54]);
});
