/**
 * A deterministic automaton that remembers where the matches under way began, in registers (after
 * V. Laurikari, "NFAs with tagged transitions" (2000)): so the monitor knows what it must hold back
 * and where a violation started. Which state it is in does not depend on the registers.
 */

/** A register's source: the first byte of the character that has just been read. */
export const NEW = 1 << 20;

/** Where a violation begins that the end alone makes: there. */
export const END = 1 << 21;

/** No violation. */
export const NONE = -1;

/**
 * A violation. Registers are ordered, the oldest first, and NEW and END are greater than any: the
 * leftmost of several starts is the least.
 */
export interface Broken {
  /** The least number of a rule that is broken. */
  readonly rule: number;
  /** The register of the state before that says where it began, or NEW, or END. */
  readonly start: number;
}

export interface Tagged {
  readonly classCount: number;
  readonly stateCount: number;
  readonly start: number;
  /** How many registers each state has. */
  readonly registers: Uint32Array<ArrayBuffer>;
  /** `next[state * classCount + class]`: a state, or `~v` where `broken[v]` says what is broken. */
  readonly next: Int32Array<ArrayBuffer>;
  /** Beside `next`, the number of what is done with the registers; no matter at a violation. */
  readonly op: Int32Array<ArrayBuffer>;
  /** For each register of the state behind, its source: a register of the state before, or NEW. */
  readonly ops: readonly (readonly number[])[];
  /** Of each state what is broken if the text ends there, as an index of `broken`, or NONE. */
  readonly end: Int32Array<ArrayBuffer>;
  readonly broken: readonly Broken[];
}

/** @returns what is broken where both are: the first rule, from the leftmost start. */
export function both(a: Broken | null, b: Broken | null): Broken | null {
  if (a === null || b === null) return a ?? b;
  return { rule: Math.min(a.rule, b.rule), start: Math.min(a.start, b.start) };
}

/** Puts a tagged automaton together, state by state. */
export class TaggedBuilder {
  private next = new Int32Array(1024);
  private op = new Int32Array(1024);
  private readonly registers: number[] = [];
  private readonly end: number[] = [];
  private readonly ops: (readonly number[])[] = [];
  private readonly opNumbers = new Map<string, number>();
  private readonly broken: Broken[] = [];
  private readonly brokenNumbers = new Map<number, number>();
  private filled = 0;

  constructor(private readonly classCount: number) {}

  /** Begins the next state. */
  state(registers: number, end: Broken | null): void {
    this.registers.push(registers);
    this.end.push(end === null ? NONE : this.brokenNumber(end));
  }

  /** The next class's transition of the state that was begun last. */
  step(target: number, sources: readonly number[]): void {
    this.put(target, this.opNumber(sources));
  }

  /** As `step`, of an operation that was numbered before. */
  stepBy(target: number, op: number): void {
    this.put(target, op);
  }

  /** @returns the numbers here of another automaton's operations. */
  opNumbersOf({ ops }: Tagged): Int32Array {
    return Int32Array.from(ops, (sources) => this.opNumber(sources));
  }

  /** The next class's transition of the state that was begun last. */
  violation(broken: Broken): void {
    this.put(~this.brokenNumber(broken), 0);
  }

  build(start = 0): Tagged {
    return {
      classCount: this.classCount,
      stateCount: this.registers.length,
      start,
      registers: Uint32Array.from(this.registers),
      next: this.next.slice(0, this.filled),
      op: this.op.slice(0, this.filled),
      ops: this.ops,
      end: Int32Array.from(this.end),
      broken: this.broken,
    };
  }

  private put(target: number, op: number): void {
    if (this.filled === this.next.length) {
      for (const name of ["next", "op"] as const) {
        const larger = new Int32Array(2 * this.filled);
        larger.set(this[name]);
        this[name] = larger;
      }
    }
    this.next[this.filled] = target;
    this.op[this.filled++] = op;
  }

  /** @returns the number of an operation on registers. */
  opNumber(sources: readonly number[]): number {
    const key = sources.join();
    const known = this.opNumbers.get(key);
    if (known !== undefined) return known;
    this.opNumbers.set(key, this.ops.length);
    return this.ops.push(sources.slice()) - 1;
  }

  private brokenNumber(broken: Broken): number {
    const key = broken.rule * 2 * END + broken.start;
    const known = this.brokenNumbers.get(key);
    if (known !== undefined) return known;
    this.brokenNumbers.set(key, this.broken.length);
    return this.broken.push(broken) - 1;
  }
}
