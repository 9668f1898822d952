/**
 * A solver's proof (DRAT, whose steps are found by unit propagation) → the steps that are needed,
 * each with the clauses from which it follows: what the checker reads. Nothing rests on this: what
 * it makes wrongly is refused.
 */

interface Clause {
  readonly id: number;
  /** The first two are the watched ones. */
  readonly literals: number[];
  deleted: boolean;
}

interface Step {
  readonly id: number;
  readonly literals: readonly number[];
  readonly hints: readonly number[];
}

/**
 * @param clauses numbered from 1.
 * @param drat one step a line: `LITERALS 0`, or `d LITERALS 0`.
 * @returns an LRAT proof, without deletions.
 * @throws RangeError where a step does not follow by unit propagation.
 */
export function lratOf(clauses: readonly (readonly number[])[], drat: string): string {
  const steps = new Propagator(clauses).follow(drat);
  return needed(steps, clauses.length)
    .map(({ id, literals, hints }) => [id, ...literals, 0, ...hints, 0].join(" ") + "\n")
    .join("");
}

/** @returns the steps that the last one rests on, numbered anew. */
function needed(steps: readonly Step[], given: number): Step[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const used = new Set<number>([steps.at(-1)!.id]);
  for (const step of steps.toReversed()) {
    if (used.has(step.id)) step.hints.forEach((id) => byId.has(id) && used.add(id));
  }
  const renamed = new Map<number, number>();
  const rename = (id: number) => renamed.get(id) ?? id;
  return steps.filter(({ id }) => used.has(id)).map(({ id, literals, hints }, i) => {
    renamed.set(id, given + 1 + i);
    return { id: given + 1 + i, literals, hints: hints.map(rename) };
  });
}

class Propagator {
  /** 1 true, -1 false, of each literal. */
  private readonly value = new Map<number, number>();
  private readonly reason = new Map<number, Clause>();
  private readonly trail: number[] = [];
  private head = 0;
  private readonly watching = new Map<number, Clause[]>();
  private readonly byText = new Map<string, Clause[]>();
  private readonly steps: Step[] = [];
  private lastId = 0;

  constructor(private readonly given: readonly (readonly number[])[]) {}

  follow(drat: string): Step[] {
    for (const literals of this.given) if (this.add(literals)) return this.steps;
    for (const line of drat.split("\n")) {
      const words = line.trim().split(/\s+/);
      if (words[0] === "") continue;
      const literals = words.filter((word) => word !== "d").map(Number);
      if (literals.pop() !== 0) throw new RangeError(`A line of the proof: ${line}`);
      if (words[0] === "d") this.forget(literals);
      else if (this.derive(literals)) return this.steps;
    }
    throw new RangeError("The proof has no end");
  }

  /** @returns whether the empty clause is reached. */
  private derive(literals: readonly number[]): boolean {
    const mark = this.trail.length;
    let conflict: Clause | null = null;
    for (const literal of literals) {
      if (this.value.get(literal) === 1) {
        conflict = this.reason.get(literal)!;
        break;
      }
      if (!this.value.has(literal)) this.assign(-literal, null);
    }
    conflict ??= this.propagate();
    if (conflict === null) throw new RangeError(`A step does not follow: ${literals.join(" ")}`);
    const hints = this.hintsOf(conflict);
    for (const literal of this.trail.splice(mark)) {
      this.value.delete(literal);
      this.value.delete(-literal);
      this.reason.delete(literal);
    }
    this.head = mark;
    this.steps.push({ id: this.lastId + 1, literals, hints });
    return literals.length === 0 || this.add(literals);
  }

  /** Adds a clause and what follows from it for good. @returns whether that is a contradiction. */
  private add(given: readonly number[]): boolean {
    const rank = (literal: number) => this.value.get(literal) ?? 0;
    const literals = [...new Set(given)].sort((a, b) => rank(b) - rank(a));
    const clause: Clause = { id: ++this.lastId, literals, deleted: false };
    const text = textOf(literals);
    this.byText.set(text, [...this.byText.get(text) ?? [], clause]);
    if (literals.length > 1) literals.slice(0, 2).forEach((literal) => this.watch(literal, clause));
    const open = literals.filter((literal) => rank(literal) !== -1);
    let conflict: Clause | null = null;
    if (open.length === 0) conflict = clause;
    else if (open.length === 1 && rank(open[0]) === 0) {
      this.assign(open[0], clause);
      conflict = this.propagate();
    }
    if (conflict === null) return false;
    this.steps.push({ id: ++this.lastId, literals: [], hints: this.hintsOf(conflict) });
    return true;
  }

  private forget(literals: readonly number[]): void {
    const clauses = this.byText.get(textOf(literals)) ?? [];
    const clause = clauses.at(-1);
    // A reason stays: what follows from it stays too.
    if (clause === undefined || this.reason.get(clause.literals[0]) === clause) return;
    if (clause.literals.some((literal) => this.reason.get(literal) === clause)) return;
    clauses.pop();
    clause.deleted = true;
  }

  private watch(literal: number, clause: Clause): void {
    const list = this.watching.get(literal);
    if (list === undefined) this.watching.set(literal, [clause]);
    else list.push(clause);
  }

  private assign(literal: number, reason: Clause | null): void {
    this.value.set(literal, 1);
    this.value.set(-literal, -1);
    if (reason !== null) this.reason.set(literal, reason);
    this.trail.push(literal);
  }

  /** @returns a clause all of whose literals are false, or null. */
  private propagate(): Clause | null {
    while (this.head < this.trail.length) {
      const isFalse = -this.trail[this.head++];
      const clauses = this.watching.get(isFalse);
      if (clauses === undefined) continue;
      const kept: Clause[] = [];
      let conflict: Clause | null = null;
      for (const clause of clauses) {
        if (clause.deleted) continue;
        const { literals } = clause;
        if (conflict !== null || this.moved(clause, isFalse)) {
          if (conflict !== null) kept.push(clause);
          continue;
        }
        kept.push(clause);
        const first = this.value.get(literals[0]);
        if (first === -1) conflict = clause;
        else if (first === undefined) this.assign(literals[0], clause);
      }
      this.watching.set(isFalse, kept);
      if (conflict !== null) return conflict;
    }
    return null;
  }

  /** Puts the false literal second; @returns whether another one is watched in its place. */
  private moved(clause: Clause, isFalse: number): boolean {
    const { literals } = clause;
    if (literals[0] === isFalse) [literals[0], literals[1]] = [literals[1], literals[0]];
    if (this.value.get(literals[0]) === 1) return false;
    for (let i = 2; i < literals.length; i++) {
      if (this.value.get(literals[i]) === -1) continue;
      [literals[1], literals[i]] = [literals[i], literals[1]];
      this.watch(literals[1], clause);
      return true;
    }
    return false;
  }

  /** @returns the clauses that lead to the conflict, in the order of their conclusions. */
  private hintsOf(conflict: Clause): number[] {
    const wanted = new Set(conflict.literals.map(Math.abs));
    const hints = [conflict.id];
    for (const literal of this.trail.toReversed()) {
      const reason = this.reason.get(literal);
      if (!wanted.has(Math.abs(literal)) || reason === undefined) continue;
      if (reason === conflict) continue;
      hints.push(reason.id);
      reason.literals.forEach((other) => wanted.add(Math.abs(other)));
    }
    return hints.reverse();
  }
}

function textOf(literals: readonly number[]): string {
  return literals.toSorted((a, b) => a - b).join(" ");
}
