/** The virtual machine ends, hangs or is restarted; the gate in front of it stays the same one. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { isAlive } from "../../enclave/processes.ts";
import { netnsId } from "../../ffi/netns.ts";
import { kill } from "../../ffi/process.ts";
import type { Status } from "../../src/api/status.ts";
import { type Box, until } from "../tools/daemon.ts";
import { fault } from "./fault.ts";
import { processesOf } from "../tools/left_overs.ts";

/** How long `vei serve` may take to end after SIGTERM. */
const STOP_MS = 10_000;

/** Stopped as asked: exit 0, in time, tap down behind a diode that stays, nothing running. */
async function stopsCleanly(box: Box, daemon: ReturnType<Box["serve"]>): Promise<void> {
  const before = box.tap()!.xdpProgramId;
  const { code, ms } = await daemon.stop();
  assertEquals(code, 0, daemon.log);
  assert(ms < STOP_MS, `${ms} ms`);
  assertEquals(processesOf(box.instance), []);
  const { up, xdpProgramId } = box.tap()!;
  assertEquals({ up, xdpProgramId }, { up: false, xdpProgramId: before });
  const status = await box.vei(["diode", "status", "--json"]);
  assertEquals(JSON.parse(status.stdout).programId, before);
  assertEquals(await box.status(), null);
}

/** The next virtual machine is ready, behind the same gate. */
async function readyAgain(daemon: ReturnType<Box["serve"]>, before: Status): Promise<Status> {
  const { restarts } = before.enclave!;
  const status = await daemon.until(
    "the next virtual machine",
    ({ phase, enclave }) => phase === "ready" && enclave!.restarts > restarts,
  );
  assertNotEquals(status.enclave!.pid, before.enclave!.pid);
  const { linkId, programId, adopted } = status.diode!;
  const was = before.diode!;
  assertEquals({ linkId, programId, adopted }, {
    ...{ linkId: was.linkId, programId: was.programId, adopted: was.adopted },
  });
  return status;
}

fault("the enclave is restarted on request", async (world) => {
  const box = await world.box();
  const daemon = box.serve();
  await readyzTells(box, daemon);
  await hostRefused();
  await execInside(box);
  const first = (await box.status())!;
  const ran = await box.vei(["enclave", "restart"]);
  assertEquals(ran.code, 0, ran.stderr);
  const second = await readyAgain(daemon, first);
  assertEquals(second.enclave!.restarts, 1);
  assertMatch(await (await box.chat(4)).text(), /\[DONE\]/);
  await stopsCleanly(box, daemon);
  assertEquals((await box.vei(["enclave", "restart"])).code, 69);
});

fault("QEMU hangs at boot", async (world) => {
  const box = await world.box();
  const daemon = box.serve();
  const hung = await daemon.booting();
  assert(kill(hung.pid, "SIGSTOP", hung.startTime));
  await daemon.until("the second attempt", ({ enclave }) => enclave?.attempt === 2);
  assert(!isAlive(hung));
  assertMatch(daemon.log, /attempt 1 failed: nothing answered within 75 s.*trying again/);
  assert(isAlive(await daemon.booting(hung)));
  const answer = await box.fetch("/readyz");
  assertEquals([answer.status, await answer.text()], [503, "booting\n"]);
  await stopsCleanly(box, daemon);
});

fault("QEMU ends at once, at every attempt", async (world) => {
  const box = await world.box();
  const daemon = box.serve({ config: '[enclave]\nmemory = "1 MiB"\n' });
  const { code } = await daemon.end();
  assertEquals(code, 69, daemon.log);
  assertMatch(daemon.log, /in 3 attempts: QEMU ended.*last words: .*\[enclave-not-ready\]/);
  assertEquals(processesOf(box.instance), []);
  assertEquals(box.tap()!.up, false);
});

fault("the guest runs out of memory", async (world) => {
  const box = await world.box();
  // Enough for a kernel to begin with, not for a server.
  const daemon = box.serve({ config: '[enclave]\nmemory = "48 MiB"\n' });
  const { code } = await daemon.end();
  assertEquals(code, 69, daemon.log);
  assertEquals(box.tap()!.up, false);
});

/** /readyz is 503 until all is ready. */
async function readyzTells(box: Box, daemon: ReturnType<Box["serve"]>): Promise<void> {
  const answers = new Set<string>();
  await until("readiness", async () => {
    assert(daemon.running, daemon.log);
    const answer = await box.fetch("/readyz").catch(() => null);
    if (answer === null) return null;
    const text = `${answer.status} ${await answer.text()}`.trim();
    answers.add(text);
    return answer.status === 200 ? text : null;
  }, { log: () => daemon.log });
  const [last, ...earlier] = [...answers].reverse();
  assertEquals(last, "200 ready");
  assert(earlier.includes("503 booting"), [...answers].join());
  for (const answer of earlier) assertMatch(answer, /^503 (starting|booting)$/);
}

/** A Host that is not ours is refused. */
async function hostRefused(): Promise<void> {
  assertMatch(await rawGet("Host: evil.example\r\n"), /^HTTP\/1\.1 421 [^]*"host-refused"/);
  assertMatch(await rawGet("Host: evil.example:8787\r\n"), /^HTTP\/1\.1 421 /);
  assertMatch(await rawGet(""), /^HTTP\/1\.1 4\d\d /);
  assertMatch(await rawGet("Host: localhost:8787\r\n"), /^HTTP\/1\.1 200 /);
}

/** `vei enclave exec` runs inside the link namespace. */
async function execInside(box: Box): Promise<void> {
  const command = ["stat", "-Lc", "%i", "/proc/self/ns/net"];
  const ran = await box.vei(["enclave", "exec", "--", ...command]);
  assertEquals(ran.stderr, "");
  assertEquals(ran.stdout.trim(), netnsId(box.instance.netns).split(":").at(-1));
  const exit = await box.vei(["enclave", "exec", "--", "sh", "-c", "exit 7"]);
  assertEquals(exit.code, 7);
  assertEquals((await box.vei(["enclave", "exec", "--", "no-such-program"])).code, 127);
}

/** Sends a request by hand, for fetch sets its own Host. */
async function rawGet(host: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: 8787 });
  await connection.write(
    new TextEncoder().encode(`GET /api/status HTTP/1.1\r\n${host}Connection: close\r\n\r\n`),
  );
  return await new Response(connection.readable).text();
}
