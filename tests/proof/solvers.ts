/** Other people's tools: solvers, and checkers of solvers' proofs. */
import { run } from "../../src/host/run.ts";
import { dimacsOf } from "../../src/proof/dimacs.ts";

export type Clauses = readonly (readonly number[])[];
export type Answer = "sat" | "unsat";

const TIMEOUT_MS = 120_000;

/** Runs a tool on texts, each a file that is named in its arguments by `{NAME}`. */
export async function runOn(
  program: string,
  args: string[],
  texts: Record<string, string>,
): Promise<{ code: number; said: string; left: Record<string, string> }> {
  const folder = await Deno.makeTempDir({ prefix: "vei-proof-" });
  try {
    for (const [name, text] of Object.entries(texts)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const named = args.map((arg) => arg.replace(/\{([\w.]+)\}/, `${folder}/$1`));
    const { code, stdout, timedOut } = await run(program, named, { timeoutMs: TIMEOUT_MS });
    if (timedOut) throw new Error(`${program} has not answered within ${TIMEOUT_MS} ms`);
    const left: Record<string, string> = {};
    for (const { name } of Deno.readDirSync(folder)) {
      left[name] = await Deno.readTextFile(`${folder}/${name}`);
    }
    return { code, said: new TextDecoder().decode(stdout).replaceAll("\r", "\n"), left };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** @returns CaDiCaL's answer, and its proof (DRAT) where that is `unsat`. */
export async function cadical(clauses: Clauses): Promise<{ answer: Answer; drat: string }> {
  const args = ["-q", "-n", "--no-binary", "{cnf}", "{drat}"];
  const { code, said, left } = await runOn("cadical", args, { cnf: dimacsOf(clauses) });
  if (code !== 10 && code !== 20) throw new Error(`cadical ended with ${code}: ${said}`);
  return { answer: code === 10 ? "sat" : "unsat", drat: left.drat };
}

/** @returns the version of the solver's package, without the package's own part: `1.5.3`. */
export async function cadicalVersion(): Promise<string> {
  const { stdout } = await run("dpkg-query", ["-W", "-f=${Version}", "cadical"]);
  return new TextDecoder().decode(stdout).replace(/-[^-]*$/, "");
}

/** @returns the first line of a solver's answer to an SMT-LIB text. */
export async function askSmt(solver: "z3" | "cvc5", text: string): Promise<string> {
  const { said } = await runOn(solver, ["{condition.smt2}"], { "condition.smt2": text });
  return said.trim().split("\n")[0];
}
