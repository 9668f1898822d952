/**
 * The diode's program with one field changed. What the checker would still prove has to pass the
 * same frames in the kernel: a mutant that is proved and behaves otherwise would be a false proof.
 */
import { assert, assertEquals } from "@std/assert";
import { seeded } from "../judge/random.ts";
import { CHANGES, SLOTS } from "../proof/program_mutants.ts";
import { judgeMutants } from "../tools/program_mutants.ts";
import { kernelTest } from "./loaded_diode.ts";

const SEED = 81, MUTANTS = 1000;

kernelTest(`${MUTANTS} mutants of the program: refused, or in the kernel the same`, async () => {
  const random = seeded(SEED);
  const chosen = Array.from(
    { length: MUTANTS },
    (): [number, number] => [random.below(SLOTS), random.below(CHANGES.length)],
  );
  const { wrong, untold, ...counts } = await judgeMutants(chosen);
  console.log(`seed ${SEED}: ${JSON.stringify(counts)}, ${untold} not told`);
  assertEquals(wrong, []);
  // Frames that tell nothing apart would find every mutant the same.
  assert(untold * 8 < counts.told, `${untold} not told by any frame`);
  // Each of these ends is reached: otherwise the mutants would test little.
  for (const [end, count] of Object.entries(counts)) assert(count > 0, end);
});
