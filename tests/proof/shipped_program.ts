/** The program's certificate as it is shipped, opened. */
import { type ProgramCertificate, unpack } from "../../src/proof/checker/program/verify.ts";
import shipped from "../../diodes/certificates/program.json" with { type: "json" };

export const CERTIFICATE = shipped as unknown as ProgramCertificate;

/** @returns the proofs (LRAT) by the names of their conditions. */
export async function shippedProofs(): Promise<ReadonlyMap<string, string>> {
  const proofs = new Map<string, string>();
  for (const [name, packed] of Object.entries(CERTIFICATE.proofs)) {
    proofs.set(name, await unpack(name, packed));
  }
  return proofs;
}
