/** `vei diode verify`: checks certificates, as is done before each attachment. */
import { defaultConfig } from "../base/config.ts";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { diodeProgram } from "../bpf/program.ts";
import { parsePredicate } from "../policy/parse.ts";
import { formatPredicate } from "../policy/predicate.ts";
import { wholeFile } from "../policy/source.ts";
import { type ProgramCertificate, unpack, verifyProgram } from "../proof/checker/program/verify.ts";
import { programConditions, STAND_INS } from "../proof/program_certificate.ts";
import {
  pairingOf,
  readCertificate,
  shippedCertificate,
  type TableCertificateFile,
} from "../../diodes/certificate_file.ts";
import { type DiodePlan, planOf } from "../../diodes/plan.ts";
import { DiodeProof, PROGRAM_CERTIFICATE, programProof } from "../../diodes/proof.ts";
import { shippedDiodes } from "../../diodes/shipped.ts";
import type { Command, CommandContext } from "./command.ts";
import { enclaveRules } from "./configured.ts";
import { DIODE_NAMES, namedDiode } from "./named_diode.ts";
import { askAll, dump, type Proved, TOOL_NAMES, type ToolAnswer } from "./proof_tools.ts";
import { usageError } from "./usage.ts";

export const command: Command = {
  name: "diode verify",
  summary: "check the proofs of the program and of diodes",
  usage: "NAME|FILE|policy:NAME|--all|--file CERTIFICATE [--with TOOL[,TOOL]]",
  notes: [
    "What is printed beside a diode is its predicate as it was read: that, and nothing else, is what " +
    "its table was proved to say.",
    `Tools: ${
      TOOL_NAMES.join(", ")
    }; NAME=PATH where one is not on the search path. Each is asked ` +
    "about every condition of the program, and what it says is its own.",
  ],
  complete: DIODE_NAMES,
  example: "vei diode verify --all",
  options: {
    all: { type: "boolean", describe: "every diode that comes with vei" },
    file: { type: "string", value: "CERTIFICATE", describe: "what this file says is proved" },
    with: { type: "string", value: "TOOL[,TOOL]", describe: "ask other people's tools too" },
  },
  async run(context) {
    const { positionals, options, json, terminal } = context;
    const { all, file } = options;
    const ways = [all === true, file !== undefined, positionals.length > 0];
    if (ways.filter(Boolean).length !== 1 || positionals.length > 1) {
      throw usageError("Name one diode, or --all, or --file CERTIFICATE", "vei diode verify --all");
    }
    const tools = toolsOf(options.with);
    const read = file === undefined ? null : await certificateIn(`${file}`);
    const given = read !== null && "proofs" in read ? read : null;
    const program = await verified(context, given);
    const diodes = [];
    if (read !== null && "predicate" in read) {
      diodes.push(
        await diode(context, await planOfFile(read, `${file}`), pairingOf(read, `${file}`)),
      );
    }
    for (const name of all === true ? shippedDiodes() : positionals) {
      const shipped = shippedCertificate(name);
      const plan = await namedDiode(name, enclaveRules(defaultConfig().link));
      diodes.push(
        await diode(context, plan, shipped === null ? undefined : pairingOf(shipped, name)),
      );
    }
    const answers = tools.length === 0 ? [] : await askAll(
      tools,
      await provedConditions(given ?? PROGRAM_CERTIFICATE),
      (answer) => tell(context, answer),
    );
    if (json) terminal.json({ program, diodes, tools: answers });
    if (answers.some(({ others }) => others.length > 0)) return Exit.failed;
    return answers.some(({ proved }) => proved === null) ? Exit.unknown : Exit.ok;
  },
};

async function verified({ json, terminal }: CommandContext, given: ProgramCertificate | null) {
  const begun = performance.now();
  const { program, conditions, clauses, steps } = given === null
    ? await programProof()
    : await verifyProgram(diodeProgram(STAND_INS), STAND_INS, given);
  const ms = performance.now() - begun;
  if (!json) {
    terminal.out(
      `program      verified: ${conditions} conditions, ${clauses} clauses, ${steps} steps, ` +
        `${ms.toFixed(0)} ms`,
    );
    terminal.out(`             sha256:${program}`);
  }
  return { program, conditions, clauses, steps, ms };
}

async function diode(
  { json, terminal }: CommandContext,
  plan: DiodePlan,
  pairing: Uint8Array | undefined,
) {
  const begun = performance.now();
  const { pairs, certificates } = await DiodeProof.of(plan, pairing);
  const ms = performance.now() - begun;
  const predicate = formatPredicate(plan.file.predicate);
  if (!json) {
    terminal.out(
      `${plan.name.padEnd(12)} verified: ${pairs} pairs, ${ms.toFixed(0)} ms: ${predicate}`,
    );
  }
  const { name, digests: { table } } = plan;
  return { name, predicate, table, pairs, ms, certificate: certificates.table };
}

async function certificateIn(path: string): Promise<TableCertificateFile | ProgramCertificate> {
  try {
    return readCertificate(await Deno.readTextFile(path), path);
  } catch (cause) {
    if (cause instanceof VeiError) throw cause;
    throw new VeiError({
      code: "certificate-unreadable",
      message: `Cannot read the certificate ${path}: ${messageOf(cause)}`,
      hint: "--file takes the path of one; `vei diode prove NAME --out FOLDER` makes one",
      exit: Exit.noInput,
      cause,
    });
  }
}

/** The diode whose predicate a certificate's file says. */
async function planOfFile(file: TableCertificateFile, path: string): Promise<DiodePlan> {
  const predicate = parsePredicate(wholeFile(file.predicate, path));
  const parts = { name: file.diode, description: "", scope: "packet" as const, predicate };
  return await planOf(parts, file.predicate, path, enclaveRules(defaultConfig().link));
}

function toolsOf(option: string | boolean | undefined): string[] {
  const tools = option === undefined ? [] : `${option}`.split(",");
  for (const tool of tools) {
    if (TOOL_NAMES.includes(tool.split("=")[0])) continue;
    throw usageError(`There is no tool ${JSON.stringify(tool)}`, `--with ${TOOL_NAMES.join(",")}`);
  }
  return tools;
}

function tell({ json, terminal }: CommandContext, answer: ToolAnswer): void {
  if (json) return;
  const { tool, proved, others, ms } = answer;
  const total = (proved ?? 0) + others.length;
  const said = proved === null
    ? "not installed: nothing is known of what it would say"
    : `${proved} of ${total} conditions confirmed, ${ms.toFixed(0)} ms`;
  terminal.out(`${tool.padEnd(12)} ${said}`);
  for (const { condition, said } of others) terminal.out(`             ${condition}: ${said}`);
}

/** The program's conditions, with the proofs that a certificate holds. */
async function provedConditions({ cuts, proofs }: ProgramCertificate): Promise<Proved[]> {
  return await Promise.all(
    programConditions(cuts).map(async (condition) => ({
      condition,
      proof: await unpack(condition.name, proofs[condition.name]),
    })),
  );
}

/** Writes every condition of the program, and its proof, for other people's tools. */
export async function dumpProgram(folder: string, proved: ProgramCertificate): Promise<void> {
  await dump(folder, await provedConditions(proved));
}
