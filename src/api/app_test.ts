import { assertEquals, assertStringIncludes } from "@std/assert";
import { NO_RELOAD } from "../../tests/tools/sample_reload.ts";
import { createApp } from "./app.ts";
import { EventHub } from "./hub.ts";
import type { Phase, Status } from "./status.ts";

function setUp(phase: Phase = "ready") {
  const hub = new EventHub(4);
  const errors: string[] = [];
  const status = (): Status => ({
    instance: "test",
    version: "0",
    phase,
    pid: 1,
    started: "2026-01-01T00:00:00Z",
    listen: "127.0.0.1:1",
    diode: null,
    enclave: null,
    policy: null,
    reload: NO_RELOAD,
    receipts: null,
    events: hub.latest(3),
  });
  const app = createApp({
    hosts: () => ["localhost", "127.0.0.1", "[::1]"],
    hub,
    status,
    metrics: () => "a 1\n",
    onError: (m) => errors.push(m),
  });
  const get = (path: string, headers: Record<string, string> = {}) =>
    app.request(path, { headers: { host: "127.0.0.1:8787", ...headers } });
  return { hub, errors, get };
}

const drop = (n: number) => ({
  time: "2026-01-01T00:00:00Z",
  kind: "drop" as const,
  message: `${n}`,
});

Deno.test("readyz is 503 in every phase but ready", async () => {
  for (const phase of ["starting", "booting", "restarting", "gate-lost", "stopping"] as Phase[]) {
    const answer = await setUp(phase).get("/readyz");
    assertEquals([answer.status, await answer.text()], [503, `${phase}\n`]);
  }
  const answer = await setUp().get("/readyz");
  assertEquals([answer.status, await answer.text()], [200, "ready\n"]);
});

Deno.test("only the configured Host names are answered", async () => {
  const { get } = setUp();
  for (const host of ["127.0.0.1", "localhost:8787", "LOCALHOST", "[::1]:1"]) {
    assertEquals((await get("/healthz", { host })).status, 200, host);
  }
  for (const host of ["evil.example", "127.0.0.1.evil.example", "", "localhost:x", "[::2]"]) {
    for (const path of ["/healthz", "/metrics"]) {
      assertEquals((await get(path, { host })).status, 421, host);
    }
  }
});

Deno.test("the metrics say which version of the format they are in", async () => {
  const answer = await setUp("booting").get("/metrics");
  assertEquals([answer.status, await answer.text()], [200, "a 1\n"]);
  assertEquals(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
});

Deno.test("every answer has the strict headers, errors too, and none allows other origins", async () => {
  const { get } = setUp();
  for (const path of ["/healthz", "/api/status", "/nowhere", "/api/events?after=x"]) {
    const answer = await get(path, { origin: "http://evil.example" });
    assertStringIncludes(answer.headers.get("content-security-policy") ?? "", "default-src 'none'");
    assertEquals(answer.headers.get("access-control-allow-origin"), null);
    await answer.body?.cancel();
  }
});

Deno.test("events are sent as they come, and the kept ones on request", async () => {
  const { hub, get } = setUp();
  for (let n = 1; n <= 6; n++) hub.publish(drop(n));
  const answer = await get("/api/events", { "last-event-id": "4" });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (wanted: string) => {
    while (!text.includes(wanted)) text += (await reader.read()).value ?? "";
  };
  await until('"id":6');
  assertEquals(text.includes('"id":4'), false);
  hub.publish(drop(7));
  await until('"id":7');
  hub.close();
  while (!(await reader.read()).done);
});

Deno.test("a slow listener loses the oldest events, is told so, and holds nobody up", async () => {
  const hub = new EventHub();
  await using slow = hub.subscribe();
  for (let n = 1; n <= 3000; n++) hub.publish(drop(n));
  assertEquals((await slow.next())!.id, 3000 - 1024 + 1);
  assertEquals(slow.lost, 3000 - 1024);
});

Deno.test("a closed hub ends its listeners after what they still had", async () => {
  const hub = new EventHub();
  await using one = hub.subscribe();
  const waiting = one.next();
  hub.publish(drop(1));
  assertEquals((await waiting)!.id, 1);
  const last = one.next();
  hub.close();
  assertEquals(await last, null);
  await using late = hub.subscribe();
  assertEquals(await late.next(), null);
});
