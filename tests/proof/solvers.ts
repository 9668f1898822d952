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
): Promise<{ code: number; said: string }> {
  const folder = await Deno.makeTempDir({ prefix: "vei-proof-" });
  try {
    for (const [name, text] of Object.entries(texts)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const named = args.map((arg) => arg.replace(/\{([\w.]+)\}/, `${folder}/$1`));
    const { code, stdout, timedOut } = await run(program, named, { timeoutMs: TIMEOUT_MS });
    if (timedOut) throw new Error(`${program} has not answered within ${TIMEOUT_MS} ms`);
    return { code, said: new TextDecoder().decode(stdout).replaceAll("\r", "\n") };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** @returns CaDiCaL's answer: whether the clauses can all be true. */
export async function cadical(clauses: Clauses): Promise<{ answer: Answer }> {
  const { code, said } = await runOn("cadical", ["-q", "-n", "{cnf}"], { cnf: dimacsOf(clauses) });
  if (code !== 10 && code !== 20) throw new Error(`cadical ended with ${code}: ${said}`);
  return { answer: code === 10 ? "sat" : "unsat" };
}

/** @returns the first line of a solver's answer to an SMT-LIB text. */
export async function askSmt(solver: "z3" | "cvc5", text: string): Promise<string> {
  const { said } = await runOn(solver, ["{condition.smt2}"], { "condition.smt2": text });
  return said.trim().split("\n")[0];
}
