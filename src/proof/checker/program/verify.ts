/** The program's certificate, and the check of it. */
import { unbase64 } from "../../../base/base64.ts";
import { sha256 } from "../../../base/bytes.ts";
import { refuse } from "../refusal.ts";
import { blast } from "./blast.ts";
import { Part, partsOf } from "./conditions.ts";
import { decode, type MapName } from "./decode.ts";
import type { Cuts } from "./hints.ts";
import { checkLrat } from "./lrat.ts";

/** Hints and proofs: every condition is made anew from the program's bytes. */
export interface ProgramCertificate {
  readonly format: "vei-program-proof/2";
  /** SHA-256 of the program's bytes with zeros for the maps' descriptors. */
  readonly program: string;
  /** Name and version of the solver that found the proofs. */
  readonly solver: string;
  readonly cuts: Cuts;
  /** By the condition's name: an LRAT proof, compressed by gzip, in base64. */
  readonly proofs: Readonly<Record<string, string>>;
}

/** What was proved, for people; and whether other bytes are this very program. */
export interface ProgramProof {
  readonly program: string;
  readonly conditions: number;
  readonly clauses: number;
  readonly steps: number;
  /**
   * @returns whether the bytes are the ones that were checked, but for the descriptors, and these
   * stand for the same maps. @throws VeiError `proof-program` where they are no program of ours.
   */
  covers(bytes: Uint8Array, fds: Readonly<Record<MapName, number>>): boolean;
}

/**
 * Checks that the program passes exactly the frames that the specification accepts, whatever the
 * maps hold that `checkMaps` lets through, and writes nothing but counters and events.
 * @param bytes as they are loaded. @param fds the descriptors in them.
 * @throws VeiError `proof-program`, `proof-certificate`.
 */
export async function verifyProgram(
  bytes: Uint8Array,
  fds: Readonly<Record<MapName, number>>,
  certificate: ProgramCertificate,
): Promise<ProgramProof> {
  const program = decode(bytes, fds);
  const digest = await programDigest(bytes, program);
  if (certificate.format !== "vei-program-proof/2") {
    throw refuse("certificate", "a certificate of another form");
  }
  if (certificate.program !== digest) {
    throw refuse(
      "certificate",
      `the certificate is for the program ${certificate.program}, not ${digest}`,
    );
  }
  const left = new Map(Object.entries(certificate.proofs));
  let [conditions, clauses, steps] = [0, 0, 0];
  // Part by part: the terms of one are not needed for the next.
  for (const part of partsOf(certificate.cuts)) {
    for (const condition of new Part(program, certificate.cuts, part).conditions()) {
      const proof = left.get(condition.name);
      if (proof === undefined) throw refuse("certificate", `no proof of ${condition.name}`);
      left.delete(condition.name);
      const made = blast(condition);
      conditions++;
      clauses += made.length;
      steps += checkLrat(made, await unpack(condition.name, proof));
    }
  }
  for (const name of left.keys()) {
    throw refuse("certificate", `a proof of ${name}, which is not asked for`);
  }
  const checked = JSON.stringify(program, plainly);
  return {
    program: digest,
    conditions,
    clauses,
    steps,
    covers: (other, others) => JSON.stringify(decode(other, others), plainly) === checked,
  };
}

function plainly(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

/** @param program the same, decoded. */
export async function programDigest(
  bytes: Uint8Array,
  program: ReturnType<typeof decode>,
): Promise<string> {
  const plain = bytes.slice();
  program.forEach((instruction, slot) => {
    if (instruction?.kind === "map") plain.fill(0, slot * 8 + 4, slot * 8 + 8);
  });
  return await sha256(plain);
}

/** No proof of ours is nearly as long. */
const MOST_PROOF = 16 * 1024 * 1024;

/** @returns the proof's text. @throws VeiError `proof-certificate`. */
export async function unpack(name: string, proof: string): Promise<string> {
  const text: string[] = [];
  let length = 0;
  try {
    const packed = new Blob([unbase64(proof)]).stream();
    const pieces = packed.pipeThrough(new DecompressionStream("gzip"))
      .pipeThrough(new TextDecoderStream());
    for await (const piece of pieces) {
      text.push(piece);
      length += piece.length;
      if (length > MOST_PROOF) break;
    }
  } catch {
    throw refuse("certificate", `the proof of ${name} cannot be unpacked`);
  }
  if (length > MOST_PROOF) throw refuse("certificate", `the proof of ${name} is too long`);
  return text.join("");
}
