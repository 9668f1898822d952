/** Processes are killed at random moments; VEI_SEED repeats a run, VEI_KILLS makes it longer. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ProcessName } from "../../enclave/processes.ts";
import { readPidFile } from "../../enclave/pid_file.ts";
import { kill } from "../../ffi/process.ts";
import { seeded } from "../judge/random.ts";
import { type Box, type Daemon, until } from "../tools/daemon.ts";
import { leftOvers } from "../tools/left_overs.ts";
import { fault, MOMENTS, seedOf, sleep } from "./fault.ts";

/** One in so many moments is in service, in the middle of an answer; the others are at the start. */
const IN_SERVICE = 7;

/**
 * Starts a daemon and lets QEMU begin to boot; its end is the caller's.
 * @returns twice as long as that took, so that moments are spread over all of a start and a bit more,
 * however busy the machine.
 */
async function firstStart(box: Box): Promise<{ daemon: Daemon; spanMs: number }> {
  const begun = performance.now();
  const daemon = box.serve();
  await daemon.booting();
  const spanMs = 2 * (performance.now() - begun);
  console.log(`moments within ${Math.round(spanMs)} ms`);
  return { daemon, spanMs };
}

/** Begins an answer that will be cut off. @returns when the client knows of its end. */
async function beginAnswer(box: Box): Promise<{ ended: Promise<string> }> {
  const answer = await box.chat(400);
  return { ended: answer.text().catch(() => "") };
}

/** After all of it: the operator starts it once more, and it serves. */
async function servesAgain(box: Box): Promise<void> {
  await box.serving();
  assertMatch(await (await box.chat(4)).text(), /\[DONE\]/);
}

fault("kill -9 of the daemon at 20 random moments", async (world) => {
  const random = seeded(seedOf("kills of the daemon"));
  const box = await world.box();
  const { daemon: first, spanMs } = await firstStart(box);
  first.kill("SIGKILL");
  await first.end();
  for (let moment = 1; moment <= MOMENTS; moment++) {
    const inService = moment % IN_SERVICE === 0;
    const daemon = inService ? await box.serving() : box.serve();
    let answer: Promise<string> | undefined;
    if (inService) {
      answer = (await beginAnswer(box)).ended;
      await sleep(random.below(500));
    } else await sleep(random.below(spanMs));
    daemon.kill("SIGKILL");
    await daemon.end();
    assert(!(await answer)?.includes("[DONE]"));
  }
  await servesAgain(box);
});

fault("kill -9 of QEMU at 20 random moments", async (world) => {
  const random = seeded(seedOf("kills of QEMU"));
  const box = await world.box();
  let daemon = box.serve();
  let last: ProcessName | undefined;
  let gaveUp = 0;
  for (let moment = 1; moment <= MOMENTS - MOMENTS / IN_SERVICE; moment++) {
    const next = await nextQemu(box, daemon, last);
    if (next === null) {
      // Three boots in a row were killed: it says so, and ends behind a tap that is down.
      assertEquals((await daemon.end()).code, 69);
      assertMatch(daemon.log, /\[enclave-not-ready\]/);
      assertEquals(box.tap()!.up, false);
      gaveUp++;
      daemon = box.serve();
      moment--;
      continue;
    }
    await sleep(random.below(2000));
    kill(next.pid, "SIGKILL", next.startTime);
    last = next;
  }
  console.log(`the daemon gave up ${gaveUp} times`);
  await daemon.stop().catch(() => daemon.end());
  for (let moment = 0; moment < MOMENTS / IN_SERVICE; moment++) {
    daemon = await box.serving();
    const { ended } = await beginAnswer(box);
    await sleep(random.below(500));
    const qemu = readPidFile(box.instance.run)!.qemu!;
    kill(qemu.pid, "SIGKILL", qemu.startTime);
    assertMatch(await ended, /"error"/);
    await until("the next virtual machine", () => {
      const next = readPidFile(box.instance.run)?.qemu ?? null;
      return next !== null && next.pid !== qemu.pid ? true : null;
    }, { log: () => daemon.log });
    assertEquals((await daemon.stop()).code, 0, daemon.log);
  }
  await servesAgain(box);
});

/** Waits for another QEMU than `last`. @returns null when the daemon has ended instead. */
function nextQemu(box: Box, daemon: Daemon, last?: ProcessName): Promise<ProcessName | null> {
  return until("QEMU", () => {
    if (!daemon.running) return [null];
    const qemu = readPidFile(box.instance.run)?.qemu ?? null;
    return qemu === null || qemu.pid === last?.pid ? null : [qemu];
  }, { log: () => daemon.log }).then(([qemu]) => qemu as ProcessName | null);
}

fault("kill -9 of the daemon and of QEMU at once", async (world) => {
  const random = seeded(seedOf("kills of both"));
  const box = await world.box();
  let last: ProcessName | undefined;
  for (let moment = 0; moment < Math.max(1, MOMENTS / 4); moment++) {
    const daemon = box.serve();
    const qemu = await daemon.booting(last);
    await sleep(random.below(2000));
    daemon.kill("SIGKILL");
    kill(qemu.pid, "SIGKILL", qemu.startTime);
    await daemon.end();
    last = qemu;
    // Nobody is there, and the gate is: the tap is still up behind the diode.
    assert(box.tap()!.up && box.tap()!.xdpProgramId !== null);
  }
  await servesAgain(box);
});

fault("SIGTERM at random moments of the start", async (world) => {
  const random = seeded(seedOf("stops"));
  const box = await world.box();
  const { daemon: first, spanMs } = await firstStart(box);
  assertEquals((await first.stop()).code, 0, first.log);
  for (let moment = 0; moment < MOMENTS / 2; moment++) {
    const daemon = box.serve();
    await sleep(random.below(spanMs));
    const { code, ms } = await daemon.stop();
    assert(ms < 10_000, `the stop took ${ms} ms`);
    // Before the daemon listens to signals it has made nothing, and ends by the signal.
    const early = code === 143 && daemon.log === "";
    assert(code === 0 || early, `exit code ${code}\n${daemon.log}`);
    const left = (await leftOvers(box.instance)).filter((what) => what.startsWith("process"));
    assertEquals(left, [], daemon.log);
    assert(!box.tap()?.up);
  }
});
