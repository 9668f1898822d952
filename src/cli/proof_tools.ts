/** Other people's tools, asked about the program's proofs. */
import { Exit, VeiError } from "../base/errors.ts";
import { run } from "../host/run.ts";
import { blast } from "../proof/checker/program/blast.ts";
import type { Condition } from "../proof/checker/program/conditions.ts";
import { dimacsOf, dratOf } from "../proof/dimacs.ts";
import { smtlibOf } from "../proof/smtlib.ts";

/** What a tool is asked: solvers the condition itself, checkers the proof of it. */
const TOOLS: Record<string, { args: string[]; proved: RegExp }> = {
  z3: { args: ["{smt2}"], proved: /^unsat$/m },
  cvc5: { args: ["{smt2}"], proved: /^unsat$/m },
  cadical: { args: ["-q", "-n", "{cnf}"], proved: /^s UNSATISFIABLE$/m },
  "drat-trim": { args: ["{cnf}", "{drat}"], proved: /^s VERIFIED$/m },
  "lrat-check": { args: ["{cnf}", "{lrat}"], proved: /^c VERIFIED$/m },
};
export const TOOL_NAMES: readonly string[] = Object.keys(TOOLS);

const TIMEOUT_MS = 300_000;

/** One condition, and its proof. */
export interface Proved {
  readonly condition: Condition;
  /** LRAT. */
  readonly proof: string;
}

/** A tool's answers. */
export interface ToolAnswer {
  readonly tool: string;
  /** null: it is not installed, so it said nothing. */
  readonly proved: number | null;
  /** Conditions that it did not confirm, with its own last words. */
  readonly others: readonly { readonly condition: string; readonly said: string }[];
  readonly ms: number;
}

/** Writes each condition as SMT-LIB (`.smt2`) and clauses (`.cnf`), and its proof (`.lrat`, `.drat`). */
export async function dump(folder: string, all: readonly Proved[]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const one of all) {
    for (const [kind, text] of Object.entries(textsOf(one))) {
      await Deno.writeTextFile(`${folder}/${one.condition.name}.${kind}`, text);
    }
  }
}

function textsOf({ condition, proof }: Proved): Record<string, string> {
  return {
    smt2: smtlibOf(condition),
    cnf: dimacsOf(blast(condition)),
    lrat: proof,
    drat: dratOf(proof),
  };
}

/** Gives some work a folder, which is gone afterwards. */
async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "vei-proof-" });
  try {
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * @param tools names, or `NAME=PATH` where one is not on the search path.
 * @param told each tool's answers, when it has given them.
 * @returns the answers, in the order of the tools.
 */
export function askAll(
  tools: readonly string[],
  all: readonly Proved[],
  told: (answer: ToolAnswer) => void,
): Promise<ToolAnswer[]> {
  return inFolder(async (folder) => {
    await dump(folder, all);
    const answers: ToolAnswer[] = [];
    for (const tool of tools) {
      const answer = await ask(tool, all, folder);
      answers.push(answer);
      told(answer);
    }
    return answers;
  });
}

/** @param folder where the conditions have been dumped. */
async function ask(named: string, all: readonly Proved[], folder: string): Promise<ToolAnswer> {
  const [tool, path = tool] = named.split("=");
  const begun = performance.now();
  const others: { condition: string; said: string }[] = [];
  try {
    for (const { condition: { name } } of all) {
      const { args, proved } = TOOLS[tool];
      const files = args.map((arg) => arg.replace(/\{(\w+)\}/, `${folder}/${name}.$1`));
      const { stdout, timedOut } = await run(path, files, { timeoutMs: TIMEOUT_MS });
      const said = new TextDecoder().decode(stdout).replaceAll("\r", "\n").trim();
      if (proved.test(said)) continue;
      const last = timedOut ? "no answer in time" : said.split("\n").at(-1) ?? "";
      others.push({ condition: name, said: last });
    }
  } catch (error) {
    if (!(error instanceof VeiError) || error.code !== "program-missing") throw error;
    return { tool, proved: null, others: [], ms: performance.now() - begun };
  }
  return { tool, proved: all.length - others.length, others, ms: performance.now() - begun };
}

/** Runs CaDiCaL on clauses. @returns its proof (DRAT). @throws VeiError `solver-missing`, `solver-failed`. */
export function solve(dimacs: string): Promise<string> {
  return inFolder(async (folder) => {
    const [cnf, drat] = [`${folder}/cnf`, `${folder}/drat`];
    await Deno.writeTextFile(cnf, dimacs);
    const args = ["-q", "-n", "--no-binary", cnf, drat];
    const { code } = await run("cadical", args, { timeoutMs: TIMEOUT_MS });
    if (code === 20) return await Deno.readTextFile(drat);
    throw new VeiError({
      code: "solver-failed",
      message: code === 10
        ? "A condition does not hold: CaDiCaL has found what contradicts it"
        : `CaDiCaL ended with ${code}`,
      hint: "the program is not proved; report this: it cannot happen with vei as it was built",
      exit: Exit.failed,
    });
  });
}

/**
 * @returns `cadical VERSION`: its package's, where there is one, for its own word is that of a
 * competition. @throws VeiError `solver-missing`.
 */
export async function solverName(): Promise<string> {
  const said = async (program: string, ...args: string[]) => {
    const { code, stdout } = await run(program, args);
    return code === 0 ? new TextDecoder().decode(stdout).trim() : "";
  };
  try {
    const own = await said("cadical", "--version");
    const version = await said("dpkg-query", "-W", "-f=${Version}", "cadical").catch(() => "");
    return `cadical ${version.replace(/-[^-]*$/, "") || own}`;
  } catch (cause) {
    throw new VeiError({
      code: "solver-missing",
      message: "CaDiCaL is not installed, and without a solver the program is not proved anew",
      hint: "apt-get install cadical; or `vei diode verify --all`, which takes no solver",
      exit: Exit.unavailable,
      cause,
    });
  }
}
