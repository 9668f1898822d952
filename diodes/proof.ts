/**
 * No proof, no diode: what is attached was checked by this very process. Two halves: the program
 * walks any table as it should (its certificate comes with it, made by a solver), and this table
 * accepts what the predicate's text says (its certificate takes no solver: it is made here, or read
 * from a file, and then checked like any other).
 */
import { canonicalJson } from "../src/base/canonical.ts";
import { equalBytes, sha256 } from "../src/base/bytes.ts";
import { Exit, VeiError } from "../src/base/errors.ts";
import { type DiodeMaps, diodeProgram } from "../src/bpf/program.ts";
import { readRegex } from "../src/policy/regex.ts";
import {
  type ProgramCertificate,
  type ProgramProof,
  verifyProgram,
} from "../src/proof/checker/program/verify.ts";
import { checkTable, type Pause } from "../src/proof/checker/table/check.ts";
import type { TableClaim } from "../src/proof/checker/table/pairs.ts";
import { STAND_INS } from "../src/proof/program_certificate.ts";
import { tableCertificate } from "../src/proof/table_certificate.ts";
import shipped from "./certificates/program.json" with { type: "json" };
import type { DiodeContent } from "./objects.ts";
import { compileDiode, type DiodePlan } from "./plan.ts";

/** The program's certificate, as it comes with it. */
export const PROGRAM_CERTIFICATE: ProgramCertificate = shipped as unknown as ProgramCertificate;

/** SHA-256 of the two certificates that a diode stands on. */
export interface CertificateDigests {
  readonly program: string;
  readonly table: string;
}

/** What was checked of one diode. Only `proveDiode` makes one. */
export class DiodeProof {
  /** @param pairs of table and predicate that any bytes lead to. */
  private constructor(
    readonly certificates: CertificateDigests,
    readonly pairs: number,
    private readonly program: ProgramProof,
    private readonly content: DiodeContent,
  ) {}

  /**
   * @param table a certificate of the plan's table; without one it is made now.
   * @throws VeiError `proof-…` where something is not proved.
   */
  static async of(plan: DiodePlan, table?: Uint8Array): Promise<DiodeProof> {
    const { proof: program, certificate } = await provedProgram();
    const content = { table: plan.table.slice(), config: plan.config.slice() };
    const claim = claimOf(plan.file.predicate, content);
    const pause = breather();
    const used = table ?? await tableCertificate(claim, pause);
    const pairs = await checkTable(claim, used, pause);
    const digests = { program: certificate, table: await sha256(used) };
    return new DiodeProof(digests, pairs, program, content);
  }

  /**
   * Asked of the very bytes that are about to be loaded, and of what the frozen maps hold.
   * @throws VeiError `proof-other` when it is not what was proved.
   */
  require(
    instructions: Uint8Array,
    fds: DiodeMaps<number>,
    { table, config }: DiodeContent,
  ): void {
    const isProved = equalBytes(table, this.content.table) &&
      equalBytes(config, this.content.config) && this.program.covers(instructions, fds);
    if (isProved) return;
    throw new VeiError({
      code: "proof-other",
      message: "What is to be loaded is not what was proved",
      hint: "nothing was attached; report this: it cannot happen with vei as it was built",
      exit: Exit.internal,
    });
  }
}

/** A diode that may be attached. */
export interface ProvenDiode extends DiodePlan {
  readonly proof: DiodeProof;
}

/** @throws VeiError `proof-…` where something is not proved. */
export async function proveDiode(plan: DiodePlan): Promise<ProvenDiode> {
  return { ...plan, proof: await DiodeProof.of(plan) };
}

/** @throws VeiError as compileDiode and proveDiode. */
export async function provenDiode(
  ...[text, path, rules]: Parameters<typeof compileDiode>
): Promise<ProvenDiode> {
  return await proveDiode(await compileDiode(text, path, rules));
}

/** @returns what is to be proved of a table. */
export function claimOf(
  predicate: TableClaim["predicate"],
  { table, config }: DiodeContent,
): TableClaim {
  return { predicate, readRegex, table, config };
}

/** So long others wait: a running daemon answers, watches and tells its manager that it lives. ms. */
const BREATH_MS = 20;

/** @returns a pause for long work: now and then, everything else has its turn. */
function breather(): Pause {
  let since = performance.now();
  return () => {
    if (performance.now() - since < BREATH_MS) return null;
    return new Promise((resolve) =>
      setTimeout(() => {
        since = performance.now();
        resolve();
      })
    );
  };
}

interface ProvedProgram {
  readonly proof: ProgramProof;
  /** Digest of its certificate. */
  readonly certificate: string;
}

let program: Promise<ProvedProgram> | undefined;

/** Once in a process. */
function provedProgram(): Promise<ProvedProgram> {
  return program ??= (async () => ({
    proof: await verifyProgram(diodeProgram(STAND_INS), STAND_INS, PROGRAM_CERTIFICATE),
    certificate: await certificateDigest(PROGRAM_CERTIFICATE),
  }))();
}

/**
 * Checks the program against its certificate; once in a process.
 * @throws VeiError `proof-…`.
 */
export async function programProof(): Promise<ProgramProof> {
  return (await provedProgram()).proof;
}

/** @returns SHA-256 of a program's certificate in canonical JSON. */
export async function certificateDigest(certificate: ProgramCertificate): Promise<string> {
  return await sha256(new TextEncoder().encode(canonicalJson(certificate)));
}
