/** Clauses, one behind the other in one array: hundreds of thousands of them are made and checked. */

/** What is asked of clauses; an array of arrays will do. */
export interface Clauses {
  readonly length: number;
  at(index: number): ArrayLike<number> | undefined;
}

export class ClauseList implements Clauses {
  private literals = new Int32Array(1 << 16);
  private readonly ends: number[] = [];

  get length(): number {
    return this.ends.length;
  }

  /** @returns the clause's literals, as they were added. */
  at(index: number): Int32Array {
    return this.literals.subarray(this.ends[index - 1] ?? 0, this.ends[index]);
  }

  push(...clause: readonly number[]): void {
    const begin = this.ends.at(-1) ?? 0;
    const end = begin + clause.length;
    if (end > this.literals.length) {
      const larger = new Int32Array(2 * this.literals.length);
      larger.set(this.literals);
      this.literals = larger;
    }
    for (let i = 0; i < clause.length; i++) this.literals[begin + i] = clause[i];
    this.ends.push(end);
  }
}
