/**
 * How long it takes to certify and to check that a table says what its predicate does: every shipped
 * diode, and the diodes of the policies. Run: `deno run -A tests/bench/table_proof_bench.ts`
 */
import { shareOf } from "../../diodes/policy_diode.ts";
import {
  shippedDiode,
  shippedDiodes,
  shippedPolicies,
  shippedPolicy,
} from "../../diodes/shipped.ts";
import { parseDiodeFile } from "../../src/policy/diode_file.ts";
import { readPolicy } from "../../src/policy/policy_text.ts";
import type { Predicate } from "../../src/policy/predicate.ts";
import { checkTable } from "../../src/proof/checker/table/check.ts";
import { tableCertificate } from "../../src/proof/table_certificate.ts";
import { claimOf } from "../proof/claims.ts";

/** The promise: ms to check a shipped diode. */
const LIMIT = 200;
/** Others share the machine: the fastest of so many. */
const TIMES = 3;

async function fastest(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const begun = performance.now();
    await work();
    times.push(performance.now() - begun);
  }
  return Math.min(...times);
}

async function row(name: string, predicate: Predicate, limit: number | null): Promise<void> {
  const claim = claimOf(predicate);
  const certificate = await tableCertificate(claim);
  const pairs = await checkTable(claim, certificate);
  const make = await fastest(() => tableCertificate(claim));
  const check = await fastest(() => checkTable(claim, certificate));
  const against = limit === null ? "" : `, ratio to ${limit}: ${(check / limit).toFixed(2)}`;
  console.log(
    `${name}: ${pairs} pairs, ${certificate.length} bytes, made in ${make.toFixed(1)} ms, ` +
      `checked in ${check.toFixed(1)} ms${against}`,
  );
}

for (const name of shippedDiodes()) {
  await row(name, parseDiodeFile(shippedDiode(name), name).predicate, LIMIT);
}
for (const name of shippedPolicies()) {
  const { predicate } = shareOf(readPolicy(shippedPolicy(name), name));
  if (predicate !== null) await row(`policy:${name}`, predicate, null);
}
