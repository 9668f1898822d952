/**
 * The proof that clauses cannot all be true: each step of it adds a clause that follows from those
 * before, by unit propagation along the clauses it names (LRAT without deletions and RAT steps:
 * Cruz-Filipe et al., "Efficient Certified RAT Verification", CADE 2017). The last one is empty.
 */
import { refuse } from "../refusal.ts";
import type { Clauses } from "./clauses.ts";

const SPACE = 32, LINE = 10, MINUS = 45, ZERO = 48;

/**
 * @param clauses numbered from 1.
 * @param proof lines `NUMBER LITERALS 0 HINTS 0`, numbered on from the last clause.
 * @returns how many clauses were added.
 * @throws VeiError `proof-certificate` where a step does not follow, or the empty clause is not reached.
 */
export function checkLrat(clauses: Clauses, proof: string): number {
  const added: Int32Array[] = [];
  /** Literals that are false where this step's clause is. */
  const isFalse = new Set<number>();
  let numbers: number[] = [];
  for (let at = 0; at < proof.length;) {
    at = readLine(proof, at, numbers);
    const step = clauses.length + added.length + 1;
    const wrong = (what: string) => refuse("certificate", `step ${step} of a proof ${what}`);
    const end = numbers.indexOf(0, 1);
    if (end < 0 || end === numbers.length - 1 || numbers.at(-1) !== 0 || numbers[0] !== step) {
      throw wrong("cannot be read");
    }
    isFalse.clear();
    for (let i = 1; i < end; i++) isFalse.add(numbers[i]);
    let follows = false;
    for (let i = end + 1; i < numbers.length - 1 && !follows; i++) {
      const hint = numbers[i];
      const clause = hint > clauses.length
        ? added[hint - clauses.length - 1]
        : hint > 0
        ? clauses.at(hint - 1)
        : undefined;
      if (clause === undefined) throw wrong(`names clause ${hint}, which is not there`);
      const unit = remaining(clause, isFalse);
      if (unit === null) throw wrong(`names clause ${hint}, from which nothing follows`);
      if (unit === 0) follows = true;
      else isFalse.add(-unit);
    }
    if (!follows) throw wrong("does not follow");
    if (end === 1) return added.length + 1;
    added.push(Int32Array.from(numbers.slice(1, end)));
    numbers = [];
  }
  throw refuse("certificate", "a proof without an end");
}

/** @returns the one literal of a clause that is not false; 0 where all are, null where more are not. */
function remaining(clause: ArrayLike<number>, isFalse: ReadonlySet<number>): number | null {
  let unit = 0;
  for (let i = 0; i < clause.length; i++) {
    const literal = clause[i];
    if (isFalse.has(literal) || literal === unit) continue;
    if (unit !== 0) return null;
    unit = literal;
  }
  return unit;
}

/** Reads whole numbers between single spaces into `numbers`. @returns where the next line begins. */
function readLine(text: string, at: number, numbers: number[]): number {
  for (;;) {
    const negative = text.charCodeAt(at) === MINUS;
    if (negative) at++;
    const begin = at;
    let number = 0;
    for (let digit; (digit = text.charCodeAt(at) - ZERO) >= 0 && digit <= 9; at++) {
      number = 10 * number + digit;
    }
    const after = text.charCodeAt(at);
    const end = at >= text.length || after === LINE;
    if (at === begin || at - begin > 9 || (!end && after !== SPACE)) {
      throw refuse("certificate", "a proof has a line that is not of numbers");
    }
    numbers.push(negative ? -number : number);
    at++;
    if (end) return at;
  }
}
