/** `vei diode prove`: makes certificates, and checks each as it would be before an attachment. */
import { defaultConfig } from "../base/config.ts";
import { sha256 } from "../base/bytes.ts";
import { Exit } from "../base/errors.ts";
import { diodeProgram } from "../bpf/program.ts";
import { checkTable } from "../proof/checker/table/check.ts";
import { verifyProgram } from "../proof/checker/program/verify.ts";
import { proveProgram, STAND_INS } from "../proof/program_certificate.ts";
import { tableCertificate } from "../proof/table_certificate.ts";
import { certificateText, tableFile } from "../../diodes/certificate_file.ts";
import {
  certificateDigest,
  claimOf,
  PROGRAM_CERTIFICATE,
  programProof,
} from "../../diodes/proof.ts";
import { shippedDiodes } from "../../diodes/shipped.ts";
import type { Command, CommandContext } from "./command.ts";
import { enclaveRules } from "./configured.ts";
import { dumpProgram } from "./diode_verify.ts";
import { DIODE_NAMES, namedDiode } from "./named_diode.ts";
import { solve, solverName } from "./proof_tools.ts";
import { usageError } from "./usage.ts";

export const command: Command = {
  name: "diode prove",
  summary: "make the certificate of a diode's table, and check it",
  usage: "NAME|FILE|policy:NAME|--all [--out FOLDER] [--dump FOLDER]",
  notes: [
    "A diode takes no solver. With --all the program itself is proved anew too, which takes CaDiCaL " +
    "(apt-get install cadical); its certificate comes with vei, so nobody needs to.",
  ],
  complete: DIODE_NAMES,
  example: "vei diode prove hateless",
  options: {
    all: { type: "boolean", describe: "the program and every diode that comes with vei" },
    out: { type: "string", value: "FOLDER", describe: "write the certificates there" },
    dump: {
      type: "string",
      value: "FOLDER",
      describe: "write what is proved of the program, for other people's tools",
    },
  },
  async run(context) {
    const { positionals, options, json, terminal } = context;
    const all = options.all === true;
    if (all ? positionals.length > 0 : positionals.length !== 1) {
      throw usageError("Name one diode, or --all", "vei diode prove hateless");
    }
    const out = options.out === undefined ? null : `${options.out}`;
    if (out !== null) await Deno.mkdir(out, { recursive: true });
    const told: unknown[] = [];
    let certificate = PROGRAM_CERTIFICATE;
    if (all) {
      const proved = await program(context, out);
      told.push(proved.told);
      certificate = proved.certificate;
    } else await programProof();
    if (options.dump !== undefined) await dumpProgram(`${options.dump}`, certificate);
    for (const name of all ? shippedDiodes() : positionals) {
      told.push(await table(context, name, out));
    }
    if (json) terminal.json(told);
    return Exit.ok;
  },
};

async function table({ json, terminal }: CommandContext, named: string, out: string | null) {
  const plan = await namedDiode(named, enclaveRules(defaultConfig().link));
  const begun = performance.now();
  const claim = claimOf(plan.file.predicate, plan);
  const certificate = await tableCertificate(claim);
  const pairs = await checkTable(claim, certificate);
  const digest = await sha256(certificate);
  const ms = performance.now() - begun;
  const file = tableFile(plan, certificate);
  if (out !== null) {
    await Deno.writeTextFile(
      `${out}/${plan.name.replaceAll(/[:/]/g, "-")}.json`,
      certificateText(file),
    );
  }
  const { name } = plan;
  if (!json) {
    terminal.out(
      `${
        name.padEnd(12)
      } proved: ${pairs} pairs of state and predicate, ${certificate.length} bytes, ` +
        `${ms.toFixed(0)} ms, sha256:${digest}`,
    );
  }
  return {
    name,
    predicate: file.predicate,
    pairs,
    bytes: certificate.length,
    ms,
    certificate: digest,
  };
}

async function program({ json, terminal }: CommandContext, out: string | null) {
  const begun = performance.now();
  const solver = await solverName();
  const certificate = await proveProgram(solver, solve, (condition) => {
    if (terminal.interactive) terminal.redraw(`program: ${condition}`);
  });
  const { conditions, steps } = await verifyProgram(
    diodeProgram(STAND_INS),
    STAND_INS,
    certificate,
  );
  const ms = performance.now() - begun;
  if (out !== null) await Deno.writeTextFile(`${out}/program.json`, certificateText(certificate));
  const digest = await certificateDigest(certificate);
  const shipped = digest === await certificateDigest(PROGRAM_CERTIFICATE);
  if (!json) {
    terminal.out(
      `program      proved by ${solver}: ${conditions} conditions, ${steps} steps, ` +
        `${ms.toFixed(0)} ms, sha256:${digest}` +
        (shipped
          ? ", the one that comes with vei"
          : `; vei comes with one by ${PROGRAM_CERTIFICATE.solver}`),
    );
  }
  const told = { name: "program", solver, conditions, steps, ms, certificate: digest, shipped };
  return { certificate, told };
}
