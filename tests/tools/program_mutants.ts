/** Mutants of the diode's program, judged by checker, solver and kernel: what the test and the soak share. */
import { XDP } from "../../ffi/bpf_program.ts";
import { diodeProgram } from "../../src/bpf/program.ts";
import { STAND_INS } from "../../src/proof/program_certificate.ts";
import { seeded } from "../judge/random.ts";
import { ProgramWorld, settingsOf } from "../kernel/program_world.ts";
import { ConditionJudge } from "../proof/condition_judge.ts";
import { CHANGES, judgeProgram, mutant } from "../proof/program_mutants.ts";

const FRAMES = 400, FRAMES_SEED = 82;
/** Of the mutants that the solver refuses, so many are run too: the frames have to tell them. */
const MOST_TOLD = 60;

/** How many mutants came to which end. */
export interface MutantCounts {
  /** Refused before a condition was made. */
  decoder: number;
  executor: number;
  /** A condition does not hold, says a solver. */
  solver: number;
  /** Among the first of these that the kernel loads: a frame tells them from the program, or none. */
  told: number;
  untold: number;
  /** Every condition holds, if only with other proofs; the kernel refuses the program. */
  kernel: number;
  /** Every condition holds, and the kernel gives the same verdict for every frame: with the shipped
   * certificate's proofs, or only with others. */
  sameProofs: number;
  otherProofs: number;
  /** Every condition holds, and the kernel gives another verdict: each a false proof. */
  wrong: string[];
}

/** @param each the slots and changes to try. */
export async function judgeMutants(
  each: Iterable<[slot: number, change: number]>,
  told: (counts: MutantCounts) => void = () => {},
): Promise<MutantCounts> {
  const counts: MutantCounts = {
    ...{ decoder: 0, executor: 0, solver: 0, told: 0, untold: 0 },
    ...{ kernel: 0, sameProofs: 0, otherProofs: 0 },
    wrong: [],
  };
  const judge = await ConditionJudge.make();
  using world = new ProgramWorld();
  const settings = settingsOf(seeded(FRAMES_SEED), FRAMES);
  using original = world.load(diodeProgram(STAND_INS))!;
  const wanted = world.verdicts(original, settings);
  for (const verdict of [XDP.drop, XDP.pass]) {
    const share = wanted.filter((one) => one === verdict).length / wanted.length;
    if (share < 0.2) throw new Error(`${share} of the frames have the verdict ${verdict}`);
  }
  for (const [slot, change] of each) {
    const bytes = mutant(slot, change);
    if (bytes === null) continue;
    const answer = await judgeProgram(judge, bytes);
    if (answer.by !== null) counts[answer.by]++;
    const isSample = answer.by === "solver" && counts.told + counts.untold < MOST_TOLD;
    if (answer.by === null || isSample) {
      using program = world.load(bytes);
      const same = program &&
        world.verdicts(program, settings).every((one, i) => one === wanted[i]);
      if (answer.by !== null) {
        if (same !== null) counts[same ? "untold" : "told"]++;
      } else if (same === null) counts.kernel++;
      else if (same) counts[answer.oldProofs ? "sameProofs" : "otherProofs"]++;
      else counts.wrong.push(`slot ${slot}: ${CHANGES[change][0]}`);
    }
    told(counts);
  }
  return counts;
}
