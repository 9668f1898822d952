/** Makes the program's certificate: the conditions are the checker's, the proofs a solver's. */
import { base64 } from "../base/base64.ts";
import { diodeProgram } from "../bpf/program.ts";
import { blast } from "./checker/program/blast.ts";
import { type Condition, conditionsOf } from "./checker/program/conditions.ts";
import { decode, type MapName } from "./checker/program/decode.ts";
import { type ProgramCertificate, programDigest } from "./checker/program/verify.ts";
import { dimacsOf } from "./dimacs.ts";
import { lratOf } from "./lrat.ts";
import { programCuts } from "./program_places.ts";

/** Stand for the maps where none are open. */
export const STAND_INS: Readonly<Record<MapName, number>> = {
  table: 1,
  config: 2,
  counters: 3,
  events: 4,
};

/** @returns what has to be proved of the program. @throws VeiError `proof-program`. */
export function programConditions(cuts = programCuts()): Condition[] {
  return conditionsOf(decode(diodeProgram(STAND_INS), STAND_INS), cuts);
}

/**
 * @param solver its name and version, which the certificate names.
 * @param solve takes clauses (DIMACS), and returns a DRAT proof that they cannot all be true.
 * @param told each condition's name when it has been proved.
 * @throws VeiError `proof-program`; what `solve` throws.
 */
export async function proveProgram(
  solver: string,
  solve: (dimacs: string) => Promise<string>,
  told: (name: string) => void = () => {},
): Promise<ProgramCertificate> {
  const bytes = diodeProgram(STAND_INS);
  const program = await programDigest(bytes, decode(bytes, STAND_INS));
  const proofs: Record<string, string> = {};
  for (const condition of programConditions()) {
    const clauses = blast(condition);
    proofs[condition.name] = await pack(lratOf(clauses, await solve(dimacsOf(clauses))));
    told(condition.name);
  }
  return { format: "vei-program-proof/2", program, solver, cuts: programCuts(), proofs };
}

async function pack(text: string): Promise<string> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return base64(await new Response(packed).bytes());
}
