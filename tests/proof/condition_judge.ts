/** What is said of conditions that differ from the program's own: by the shipped proofs, and by a solver. */
import { VeiError } from "../../src/base/errors.ts";
import { blast } from "../../src/proof/checker/program/blast.ts";
import type { Condition } from "../../src/proof/checker/program/conditions.ts";
import { checkLrat } from "../../src/proof/checker/program/lrat.ts";
import { programConditions } from "../../src/proof/program_certificate.ts";
import { inOrder } from "../../src/proof/checker/program/term.ts";
import { shippedProofs } from "./shipped_program.ts";
import { cadical } from "./solvers.ts";

export interface Judgement {
  /** Whether the shipped proofs prove them all. */
  readonly oldProofs: boolean;
  /** The name of one that does not hold; null where all do. */
  readonly fails: string | null;
}

export class ConditionJudge {
  private constructor(
    private readonly proofs: ReadonlyMap<string, string>,
    private readonly own: ReadonlyMap<string, string>,
  ) {}

  static async make(): Promise<ConditionJudge> {
    const own = programConditions().map((one): [string, string] => [one.name, textOf(one)]);
    return new ConditionJudge(await shippedProofs(), new Map(own));
  }

  async judge(conditions: readonly Condition[]): Promise<Judgement> {
    let oldProofs = true;
    for (const condition of conditions) {
      if (this.own.get(condition.name) === textOf(condition)) continue;
      const clauses = blast(condition);
      const old = this.proofs.get(condition.name);
      if (old !== undefined && follows(clauses, old)) continue;
      oldProofs = false;
      if ((await cadical(clauses)).answer === "sat") return { oldProofs, fails: condition.name };
    }
    return { oldProofs, fails: null };
  }
}

function follows(clauses: number[][], proof: string): boolean {
  try {
    checkLrat(clauses, proof);
    return true;
  } catch (error) {
    refusal(error);
    return false;
  }
}

/** @returns what the checker refuses something for. @throws what is no refusal. */
export function refusal(error: unknown): string {
  if (error instanceof VeiError && error.code.startsWith("proof-")) return error.message;
  throw error;
}

/** The condition with its terms numbered: equal for conditions that are the same. */
function textOf({ hypotheses, claim }: Condition): string {
  const roots = [...hypotheses, claim];
  const number = new Map([...inOrder(roots)].map((term, i) => [term, i]));
  const lines = [...number.keys()].map(({ op, width, args, value, name, factors }) =>
    `${op} ${width} ${value} ${name} ${factors} ${args.map((argument) => number.get(argument))}`
  );
  return [...lines, ...roots.map((term) => number.get(term))].join("\n");
}
