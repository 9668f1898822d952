/** A thousand starts and stops with the mock: none fails. $VEI_SOAK_CYCLES sets another number. */
import { openLibraries } from "../../ffi/native.ts";
import { runCycles } from "../tools/cycles.ts";

openLibraries();

const CYCLES = Number(Deno.env.get("VEI_SOAK_CYCLES") ?? 1000);
const begun = performance.now();
const { startMs, stopMs } = await runCycles(CYCLES, (done, so) => {
  if (done % Math.max(1, Math.floor(CYCLES / 20)) !== 0) return;
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  console.log(`${done} cycles in ${seconds} s, slowest start ${so.startMs.toFixed(0)} ms`);
});
console.log(
  `${CYCLES} cycles, none failed; slowest start ${startMs.toFixed(0)} ms, ` +
    `slowest stop ${stopMs.toFixed(0)} ms`,
);
