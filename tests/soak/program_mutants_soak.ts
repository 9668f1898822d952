/** Every slot of the diode's program, every change of it: none that is proved behaves otherwise. */
import { openLibraries } from "../../ffi/native.ts";
import { CHANGES, SLOTS } from "../proof/program_mutants.ts";
import { judgeMutants } from "../tools/program_mutants.ts";

openLibraries();

const all = [...Array(SLOTS).keys()].flatMap((slot) =>
  CHANGES.map((_, change): [number, number] => [slot, change])
);
let done = 0;
const { wrong, ...counts } = await judgeMutants(all, (so) => {
  if (++done % 1000 === 0) console.log(`${done} mutants: ${JSON.stringify(so)}`);
});
console.log(`${done} mutants: ${JSON.stringify(counts)}`);
if (wrong.length > 0) throw new Error(`proved, and the kernel behaves otherwise: ${wrong}`);
