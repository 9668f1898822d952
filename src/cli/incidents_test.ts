import { assertEquals } from "@std/assert";
import type { DropEvent } from "../bpf/event.ts";
import { Incidents } from "./incidents.ts";
import { FlowWatches } from "./kernel_gate.ts";

const event = (port: number, more: Partial<DropEvent> = {}): DropEvent => ({
  timeNs: 0n,
  reason: "predicate",
  source: "172.30.0.11",
  destination: "172.30.0.1",
  sourcePort: 8080,
  destinationPort: port,
  sequence: 1,
  payloadLength: 10,
  frameLength: 64,
  offset: 3,
  ...more,
});

Deno.test("one entry for each flow, with what came shortly after the first drop", () => {
  let now = 0;
  const incidents = new Incidents(() => now);
  for (const port of [2000, 2000, 3000]) incidents.add(event(port));
  incidents.add(event(2000, { sequence: 2, reason: "flags", offset: null }));
  assertEquals(incidents.due(), []);
  now = 2500;
  const [a, b, ...none] = incidents.due();
  assertEquals([
    a.flow.destination_port,
    a.drops.map((drop) => [drop.reason, drop.retransmissions]),
  ], [
    2000,
    [["predicate", 1], ["flags", 0]],
  ]);
  assertEquals([b.flow.destination_port, b.drops.length, none.length], [3000, 1, 0]);
  incidents.add(event(2000, { sequence: 9 }));
  now = 9000;
  assertEquals(incidents.due(), []);
});

Deno.test("a guest that makes flow after flow does not fill the log", () => {
  let now = 0;
  const incidents = new Incidents(() => now);
  for (let port = 1024; port < 3024; port++) incidents.add(event(port));
  for (let i = 0; i < 500; i++) incidents.add(event(0, { sourcePort: 0, reason: "short" }));
  now = 3000;
  assertEquals(incidents.due().length, 60);
  assertEquals(incidents.suppressed, 2001 - 60);
  incidents.add(event(5000));
  now += 3_700_000;
  assertEquals(incidents.due().length, 1);
});

Deno.test("drops on a request's flow are its own, also for a while after it has its receipt", () => {
  let now = 0;
  const flows = new FlowWatches(() => now);
  assertEquals(flows.notify(event(4000)), false);
  {
    using watch = flows.watch(4000);
    assertEquals(flows.notify(event(4000)), true);
    assertEquals(flows.notify(event(4000)), true);
    assertEquals(flows.notify(event(4001)), false);
    assertEquals(watch.drops().map((drop) => drop.retransmissions), [1]);
  }
  now = 60_000;
  assertEquals(flows.notify(event(4000)), true);
  now = 3_600_000;
  assertEquals(flows.notify(event(4000)), false);
});
