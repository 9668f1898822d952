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
/** Within this time a daemon has started, made its link and diode, and QEMU boots. */
const START_MS = 3000;

/** Begins an answer that will be cut off. @returns when the client knows of its end. */
async function beginAnswer(box: Box): Promise<{ ended: Promise<string> }> {
  const answer = await box.chat(400);
  return { ended: answer.text().catch(() => "") };
}

/** After all of it: the operator starts it once more, and it serves. */
async function servesAgain(box: Box): Promise<void> {
  const daemon = box.serve();
  await daemon.ready();
  assertMatch(await (await box.chat(4)).text(), /\[DONE\]/);
}

fault("kill -9 of the daemon at 20 random moments", async (world) => {
  const random = seeded(seedOf("kills of the daemon"));
  const box = await world.box();
  for (let moment = 1; moment <= MOMENTS; moment++) {
    const daemon = box.serve();
    let answer: Promise<string> | undefined;
    if (moment % IN_SERVICE === 0) {
      await daemon.ready();
      answer = (await beginAnswer(box)).ended;
      await sleep(random.below(500));
    } else await sleep(random.below(START_MS));
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
  for (let moment = 1; moment <= MOMENTS; moment++) {
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
    let answer: Promise<string> | undefined;
    if (moment % IN_SERVICE === 0) {
      const pid = (await daemon.ready()).enclave!.pid!;
      assertEquals(pid, next.pid, daemon.log);
      answer = (await beginAnswer(box)).ended;
      await sleep(random.below(500));
    } else await sleep(random.below(2000));
    kill(next.pid, "SIGKILL", next.startTime);
    if (answer) assertMatch(await answer, /"error"/);
    last = next;
  }
  console.log(`the daemon gave up ${gaveUp} times`);
  const end = await Promise.race([daemon.ready().then(() => null, () => 69), daemon.end()]);
  if (end !== null) return await servesAgain(box);
  assertMatch(await (await box.chat(4)).text(), /\[DONE\]/);
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
  for (let moment = 0; moment < MOMENTS / 2; moment++) {
    const daemon = box.serve();
    await sleep(random.below(START_MS));
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
