/**
 * The program's proof: found by a solver, and checked; beside the format's own checkers on the same
 * proofs, started once for each. Run: `deno run -A tests/bench/proof_bench.ts`
 */
import { diodeProgram } from "../../src/bpf/program.ts";
import { solve, solverName } from "../../src/cli/proof_tools.ts";
import { blast } from "../../src/proof/checker/program/blast.ts";
import { checkLrat } from "../../src/proof/checker/program/lrat.ts";
import { verifyProgram } from "../../src/proof/checker/program/verify.ts";
import { dratOf } from "../../src/proof/dimacs.ts";
import { programConditions, proveProgram, STAND_INS } from "../../src/proof/program_certificate.ts";
import { dratTrimAccepts, lratCheckAccepts } from "../proof/drat_trim.ts";
import { CERTIFICATE, shippedProofs } from "../proof/shipped_program.ts";

/** The promises, in ms. */
const VERIFY_MS = 2000, PROVE_MS = 60_000;

async function timed<T>(body: () => T | Promise<T>): Promise<{ ms: number; value: T }> {
  const begun = performance.now();
  const value = await body();
  return { ms: performance.now() - begun, value };
}

/** @returns the most memory that was ever resident, in MB (proc(5), VmHWM). */
function mostMb(): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) / 1000;
}

const verify = () => verifyProgram(diodeProgram(STAND_INS), STAND_INS, CERTIFICATE);
const before = mostMb();
const first = await timed(verify);
const memory = mostMb();
const again = Math.min(...[await timed(verify), await timed(verify)].map(({ ms }) => ms));
const { conditions, clauses, steps } = first.value;
console.log(
  `verify: ${first.ms.toFixed(0)} ms the first time, ${again.toFixed(0)} ms then; ${conditions} ` +
    `conditions, ${clauses} clauses, ${steps} steps; ${memory.toFixed(0)} MB resident at most, ` +
    `${before.toFixed(0)} MB before; ratio to ${VERIFY_MS} ms: ${
      (VERIFY_MS / first.ms).toFixed(1)
    }`,
);

const proofs = await shippedProofs();
const all = programConditions().map((condition) => ({
  made: blast(condition),
  clauses: blast(condition),
  proof: proofs.get(condition.name)!,
}));
const own = await timed(() => all.map(({ made, proof }) => checkLrat(made, proof)));
await lratCheckAccepts(all[0].clauses, all[0].proof); // it is fetched the first time
const others = {
  "lrat-check": (one: typeof all[0]) => lratCheckAccepts(one.clauses, one.proof),
  "drat-trim": (one: typeof all[0]) => dratTrimAccepts(one.clauses, dratOf(one.proof)),
};
console.log(`our check of the proofs alone: ${own.ms.toFixed(0)} ms`);
for (const [name, accepts] of Object.entries(others)) {
  const { ms } = await timed(async () => {
    for (const one of all) if (!await accepts(one)) throw new Error(`${name} does not accept one`);
  });
  console.log(`${name}: ${ms.toFixed(0)} ms, ratio ${(ms / own.ms).toFixed(1)}`);
}

const solver = await solverName();
const prove = await timed(() => proveProgram(solver, solve));
console.log(
  `prove, by ${solver}: ${prove.ms.toFixed(0)} ms, ratio to ${PROVE_MS} ms: ` +
    (PROVE_MS / prove.ms).toFixed(1),
);
if (first.ms > VERIFY_MS || prove.ms > PROVE_MS) throw new Error("slower than promised");
