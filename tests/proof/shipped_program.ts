/** The program's certificate as it is shipped, opened. */
import { unbase64 } from "../../src/base/base64.ts";
import type { ProgramCertificate } from "../../src/proof/checker/program/verify.ts";
import shipped from "../../diodes/certificates/program.json" with { type: "json" };

export const CERTIFICATE = shipped as ProgramCertificate;

/** @returns the proofs (LRAT) by the names of their conditions. */
export async function shippedProofs(): Promise<ReadonlyMap<string, string>> {
  const proofs = new Map<string, string>();
  for (const [name, packed] of Object.entries(CERTIFICATE.proofs)) {
    const stream = new Blob([unbase64(packed)]).stream();
    const text = stream.pipeThrough(new DecompressionStream("gzip"));
    proofs.set(name, await new Response(text).text());
  }
  return proofs;
}
