/** `vei serve --model mock`, started, asked and stopped again and again. */
import { assertEquals } from "@std/assert";
import { Box } from "./daemon.ts";
import { leftOvers } from "./left_overs.ts";

export interface Cycles {
  /** The slowest start to ready, and the slowest stop, in milliseconds. */
  startMs: number;
  stopMs: number;
}

/**
 * Each cycle asks one question. Every start has to become ready, every stop to be clean and within
 * ten seconds, and the receipts to be without a hole at the end.
 * @param onCycle told after each one, counted from 1.
 * @throws AssertionError, or Error with the daemon's log.
 */
export async function runCycles(
  count: number,
  onCycle: (done: number, so: Cycles) => void = () => {},
): Promise<Cycles> {
  await using box = await Box.make({ model: null, image: false });
  const so = { startMs: 0, stopMs: 0 };
  for (let done = 1; done <= count; done++) {
    const begun = performance.now();
    const daemon = box.serve({ plain: "mock" });
    await daemon.ready();
    so.startMs = Math.max(so.startMs, performance.now() - begun);
    const answer = await box.tell("cycle after cycle");
    assertEquals(answer.status, 200, daemon.log);
    assertEquals((await answer.json()).choices[0].message.content, "cycle after cycle");
    const { code, ms } = await daemon.stop(done % 2 === 0 ? "SIGTERM" : "SIGINT");
    assertEquals(code, 0, daemon.log);
    so.stopMs = Math.max(so.stopMs, ms);
    assertEquals(ms < 10_000, true, `it took ${ms} ms to stop`);
    assertEquals(await leftOvers(box.instance), []);
    onCycle(done, so);
  }
  const { stdout } = await box.vei(["receipt", "list", "--json"]);
  const receipts: { sequence: number; verdict: { outcome: string } }[] = JSON.parse(stdout);
  assertEquals(receipts.map(({ sequence }) => sequence), receipts.map((_, i) => i + 1));
  assertEquals(receipts.filter(({ verdict }) => verdict.outcome === "completed").length, count);
  assertEquals(receipts.length, count);
  return so;
}
