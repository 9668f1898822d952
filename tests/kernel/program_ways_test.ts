/**
 * No condition of the proof holds of nothing: for each way out of each part there is a frame that
 * goes it, with a real diode's maps; and where the parts lead a frame, the kernel does.
 */
import { assertEquals } from "@std/assert";
import { XDP } from "../../ffi/bpf_program.ts";
import { hex } from "../../src/base/bytes.ts";
import { diodeProgram } from "../../src/bpf/program.ts";
import { blast } from "../../src/proof/checker/program/blast.ts";
import { Terms } from "../../src/proof/checker/program/term.ts";
import { STAND_INS } from "../../src/proof/program_certificate.ts";
import { seeded } from "../judge/random.ts";
import { Follower, PARTS, waysOf } from "../proof/follow.ts";
import { cadical } from "../proof/solvers.ts";
import { kernelTest } from "./loaded_diode.ts";
import { ProgramWorld, settingsOf } from "./program_world.ts";

const SEED = 85, FRAMES = 120;
/** Longer frames take hundreds of rounds; one in so many is followed. */
const LONG = 300, ONE_IN = 5;

/** No frame goes these ways: there the program has no verdict yet. */
const NEVER = [
  "entry.pass",
  "head.pass",
  "head.drop",
  "middle.pass",
  "middle.drop",
  "tail.pass",
  "tail.drop",
  "decided.pass",
  "spent.pass",
];

kernelTest("each way of the proof is gone by a frame, and ends as it does in the kernel", () => {
  using world = new ProgramWorld();
  using program = world.load(diodeProgram(STAND_INS))!;
  const random = seeded(SEED);
  const follower = new Follower();
  const gone = new Map<string, number>();
  for (const setting of settingsOf(random, FRAMES)) {
    world.fill(setting);
    for (const frame of setting.frames) {
      if (frame.length > LONG && !random.once(ONE_IN)) continue;
      const ways = follower.follow(frame, setting.table, setting.config);
      const passes = ways.at(-1)!.endsWith(".pass");
      assertEquals(program.run(frame).verdict, passes ? XDP.pass : XDP.drop, hex(frame));
      for (const way of new Set(ways)) gone.set(way, (gone.get(way) ?? 0) + 1);
    }
  }
  console.log(`seed ${SEED}: ${JSON.stringify(Object.fromEntries(gone))}`);
  const all = PARTS.flatMap((from) => waysOf(from, new Terms()).ways.map(({ name }) => name));
  assertEquals(all.filter((way) => !gone.has(way)), NEVER);
});

Deno.test("the ways that no frame goes are those that none can", async () => {
  for (const from of PARTS) {
    const t = new Terms();
    const { hypotheses, ways } = waysOf(from, t);
    for (const { name, guard } of ways) {
      const clauses = blast({ name, hypotheses: [...hypotheses, guard], claim: t.false });
      const answer = NEVER.includes(name) ? "unsat" : "sat";
      assertEquals((await cadical(clauses)).answer, answer, name);
    }
  }
});
