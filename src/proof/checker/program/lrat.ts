/**
 * The proof that clauses cannot all be true: each step of it adds a clause that follows from those
 * before, by unit propagation along the clauses it names (LRAT without deletions and RAT steps:
 * Cruz-Filipe et al., "Efficient Certified RAT Verification", CADE 2017). The last one is empty.
 */
import { refuse } from "../refusal.ts";

export type Clauses = readonly (readonly number[])[];

const NUMBER = /^-?\d{1,9}$/;

/**
 * @param clauses numbered from 1.
 * @param proof lines `NUMBER LITERALS 0 HINTS 0`, numbered on from the last clause.
 * @returns how many clauses were added.
 * @throws VeiError `proof-certificate` where a step does not follow, or the empty clause is not reached.
 */
export function checkLrat(clauses: Clauses, proof: string): number {
  const known = clauses.slice();
  for (const line of proof.replace(/\n$/, "").split("\n")) {
    const step = known.length + 1;
    const wrong = (what: string) => refuse("certificate", `step ${step} of a proof ${what}`);
    const words = line.split(" ");
    const [number, ...rest] = words.map(Number);
    const end = rest.indexOf(0);
    const isWhole = number === step && end >= 0 && end < rest.length - 1 && rest.at(-1) === 0;
    if (!isWhole || !words.every((word) => NUMBER.test(word))) throw wrong("cannot be read");
    const clause = rest.slice(0, end);
    /** Literals that are false where the clause is. */
    const isFalse = new Set(clause);
    const follows = rest.slice(end + 1, -1).some((hint) => {
      const named = known[hint - 1];
      if (named === undefined) throw wrong(`names clause ${hint}, which is not there`);
      const open = named.filter((literal) => !isFalse.has(literal));
      if (open.length > 1) throw wrong(`names clause ${hint}, from which nothing follows`);
      for (const literal of open) isFalse.add(-literal);
      return open.length === 0;
    });
    if (!follows) throw wrong("does not follow");
    known.push(clause);
    if (end === 0) return known.length - clauses.length;
  }
  throw refuse("certificate", "a proof without an end");
}
