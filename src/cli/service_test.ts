import { assertEquals } from "@std/assert";
import type { Notice } from "../../ffi/notify.ts";
import { Service } from "./service.ts";

function world(answer: string | null = null) {
  const sent: Notice[] = [];
  const errors: string[] = [];
  const clock = { now: 0 };
  const service = new Service({
    send: (notice) => {
      sent.push(notice);
      return answer;
    },
    now: () => clock.now,
    onError: (message) => errors.push(message),
    monotonicUsec: () => "17",
  });
  return { service, sent, errors, clock };
}

Deno.test("a start asks for time until it is ready, and is ready once", () => {
  const { service, sent } = world();
  service.starting("attempt 1");
  service.ready("ready");
  service.starting("attempt 1");
  service.ready("ready again");
  assertEquals(sent, [
    { STATUS: "attempt 1", EXTEND_TIMEOUT_USEC: "90000000" },
    { READY: "1", STATUS: "ready" },
    { STATUS: "attempt 1" },
    { STATUS: "ready again" },
  ]);
});

Deno.test("only the watch's looks are signs of life, one a second at most", () => {
  const { service, sent, clock } = world();
  for (const now of [0, 20, 999, 1000, 1500, 60_000]) {
    clock.now = now;
    service.looked();
  }
  assertEquals(sent, Array(3).fill({ WATCHDOG: "1" }));
  clock.now = 120_000;
  service.status("still here");
  assertEquals(sent.at(-1), { STATUS: "still here" });
});

Deno.test("a reload of one that is ready is framed, the end is told once, and its reason stands", () => {
  const { service, sent } = world();
  service.reloading();
  service.ready("ready");
  service.reloading();
  service.reloaded("new diode");
  service.stopping("GATE LOST");
  service.stopping("stopping");
  assertEquals(sent, [
    { READY: "1", STATUS: "ready" },
    { RELOADING: "1", MONOTONIC_USEC: "17" },
    { READY: "1", STATUS: "new diode" },
    { STOPPING: "1", STATUS: "GATE LOST" },
  ]);
});

Deno.test("a manager that does not listen is told of once", () => {
  const { service, errors } = world("ECONNREFUSED");
  service.ready("ready");
  service.looked();
  assertEquals(errors, ["cannot tell the service manager READY: ECONNREFUSED"]);
});
