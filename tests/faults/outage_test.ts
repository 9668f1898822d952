/** The daemon is killed: the gate goes on without it, and the next daemon takes it over. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { isAlive } from "../../enclave/processes.ts";
import type { DiodeStatus } from "../../diodes/manager.ts";
import type { GateEvent } from "../../src/api/hub.ts";
import { type Box, until } from "../tools/daemon.ts";
import { fault } from "./fault.ts";

const status = async (box: Box): Promise<DiodeStatus> => {
  const ran = await box.vei(["diode", "status", "--json"]);
  assertEquals(ran.code, 0, ran.stderr);
  return JSON.parse(ran.stdout);
};

const logs = async (box: Box): Promise<GateEvent[]> => {
  const ran = await box.vei(["diode", "logs", "--json"]);
  assertEquals(ran.code, 0, ran.stderr);
  return ran.stdout.trim().split("\n").map((line) => JSON.parse(line));
};

/** Lets the model say its forbidden word, until the pinned counter has seen a drop. */
async function provoke(box: Box): Promise<string> {
  const before = (await status(box)).counters.predicate;
  const enough = new AbortController();
  let text = "";
  const asking = (async () => {
    for await (const piece of box.ask(enough.signal)) text += piece;
  })().catch(() => {});
  await until("a drop", async () => (await status(box)).counters.predicate > before || null);
  enough.abort();
  await asking;
  return text;
}

fault("kill -9 of the daemon: the gate goes on without it", async (world) => {
  const box = await world.box({ model: { says: ["I", " really", " hate", " rain"] } });
  const daemon = await box.serving();
  const { diode } = await daemon.ready();
  const qemu = await daemon.booting();
  daemon.kill("SIGKILL");
  await daemon.end();
  assert(isAlive(qemu), "QEMU went with the daemon");

  const pinned = await status(box);
  assertEquals([pinned.linkId, pinned.programId], [diode!.linkId, diode!.programId]);
  assertEquals(pinned.frozen, true);
  const { digests } = pinned;
  assertEquals(digests, { table: diode!.digests.table, config: diode!.digests.config });
  const text = await provoke(box);
  assert(!text.includes("hate"), text);

  const events = await logs(box);
  const drop = events.find(({ drop }) => drop?.reason === "predicate")?.drop;
  assertEquals([drop?.source, drop?.sourcePort], ["172.30.0.11", 8080]);
  // It only looks: what it shows is still there for the next one, and for the next daemon.
  const messages = (all: GateEvent[]) => all.slice(0, events.length).map(({ message }) => message);
  assertEquals(messages(await logs(box)), messages(events));
  assertMatch((await box.vei(["status"])).stdout, /not running[^]*is pinned and drops without/);

  // Taken over by the next daemon, with what it was not there to see.
  const next = box.serve();
  const adopted = await next.until("the gate", ({ diode }) => diode !== null);
  assertEquals(adopted.diode!.linkId, diode!.linkId);
  assertEquals([adopted.diode!.programId, adopted.diode!.adopted], [diode!.programId, true]);
  const drops = adopted.events.filter((event) => event.drop);
  assertEquals(messages(drops), messages(events));
  assert(adopted.diode!.counters.predicate >= drops.length);
  assert(!isAlive(qemu), "the orphan lives");
  assertMatch(next.log, new RegExp(`ended the orphaned QEMU, pid ${qemu.pid}`));
  const second = await next.booting(qemu);
  next.kill("SIGKILL");
  await next.end();

  const detached = await box.vei(["diode", "detach"]);
  assertEquals(detached.code, 0, detached.stderr);
  assertMatch(detached.stdout, /is detached; its tap is down/);
  assertEquals([box.tap()!.up, box.tap()!.xdpProgramId], [false, null]);
  for (const words of [["status"], ["logs"], ["detach"]]) {
    const ran = await box.vei(["diode", ...words]);
    assertEquals(ran.code, 66, words[0]);
    assertMatch(ran.stderr, /\[diode-absent\]/);
  }

  const last = box.serve();
  await last.booting(second);
  assert(!isAlive(second));
  const anew = (await box.status())!.diode!;
  assertEquals(anew.adopted, false);
  assertNotEquals(anew.linkId, diode!.linkId);
  assertEquals((await last.stop()).code, 0);
});

fault("the tap was deleted while no daemon ran", async (world) => {
  const box = await world.box();
  const first = box.serve();
  await first.booting();
  assertEquals((await first.stop("SIGINT")).code, 0);
  const { netns, tap } = box.instance;
  const ran = await new Deno.Command("nsenter", {
    args: [`--net=${netns}`, "ip", "link", "delete", tap],
  }).output();
  assert(ran.success);
  assertMatch((await box.vei(["diode", "status"])).stdout, /attached to nothing/);
  const detached = await box.vei(["diode", "detach"]);
  assertEquals(detached.code, 0, detached.stderr);
  const second = box.serve();
  await second.booting();
  assert(box.tap()!.up && box.tap()!.xdpProgramId !== null);
  assertEquals((await second.stop()).code, 0);
});
