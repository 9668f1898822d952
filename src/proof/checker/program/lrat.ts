/**
 * The proof that clauses cannot all be true: each step of it adds a clause that follows from those
 * before, by unit propagation along the clauses it names (LRAT without its RAT steps: Cruz-Filipe
 * et al., "Efficient Certified RAT Verification", CADE 2017). The last one is empty.
 */
import { refuse } from "../refusal.ts";

/**
 * @param clauses numbered from 1.
 * @param proof lines `NUMBER LITERALS 0 HINTS 0`, or `NUMBER d NUMBERS 0` for those not used again.
 * @returns how many clauses were added.
 * @throws VeiError `proof-certificate` where a step does not follow, or the empty clause is not reached.
 */
export function checkLrat(clauses: readonly (readonly number[])[], proof: string): number {
  const known = new Map(clauses.map((clause, i) => [i + 1, clause]));
  /** Literals that are false where this step's clause is, stamped with the step. */
  const isFalse = new Map<number, number>();
  let steps = 0;
  for (const line of proof.split("\n")) {
    if (line === "") continue;
    const words = line.split(" ");
    const wrong = (what: string) => refuse("certificate", `step ${words[0]} of a proof ${what}`);
    if (words[1] === "d") {
      for (const word of words.slice(2, -1)) known.delete(Number(word));
      continue;
    }
    const numbers = words.map(Number);
    const end = numbers.indexOf(0, 1);
    if (!numbers.every(Number.isSafeInteger) || end < 0 || numbers.at(-1) !== 0) {
      throw wrong("cannot be read");
    }
    const [id, clause, hints] = [numbers[0], numbers.slice(1, end), numbers.slice(end + 1, -1)];
    if (known.has(id)) throw wrong("has a number that is taken");
    steps++;
    for (const literal of clause) isFalse.set(literal, steps);
    if (!follows(known, isFalse, hints, steps, wrong)) throw wrong("does not follow");
    if (clause.length === 0) return steps;
    known.set(id, clause);
  }
  throw refuse("certificate", "a proof without an end");
}

/** Whether the hints, in this order, lead from what is false to a clause of which nothing is left. */
function follows(
  known: ReadonlyMap<number, readonly number[]>,
  isFalse: Map<number, number>,
  hints: readonly number[],
  step: number,
  wrong: (what: string) => Error,
): boolean {
  for (const hint of hints) {
    const clause = known.get(hint);
    if (clause === undefined) throw wrong(`names clause ${hint}, which is not there`);
    const left = new Set(clause.filter((literal) => isFalse.get(literal) !== step));
    if (left.size === 0) return true;
    if (left.size > 1) throw wrong(`names clause ${hint}, from which nothing follows`);
    const [unit] = left;
    isFalse.set(-unit, step);
  }
  return false;
}
