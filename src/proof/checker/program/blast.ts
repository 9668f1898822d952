/**
 * Terms → clauses, bit by bit: gates of two inputs, each kept once, as clauses by Tseitin. A literal
 * is a number, its negation the negative; literal 1 is true.
 *
 * An uninterpreted function's value is new variables for each argument that is another term. That
 * such arguments may be equal, and their values then too, is left out: it makes more assignments
 * possible, and proves no more.
 */
import type { Condition } from "./conditions.ts";
import { inOrder, type Term } from "./term.ts";

type Bits = readonly number[];

const TRUE = 1, FALSE = -1;
/** Far more literals than there is memory for clauses of them: it makes one number of two. */
const MOST_LITERALS = 2 ** 26;

/** @returns clauses: if no assignment satisfies them, the condition holds. */
export function blast({ hypotheses, claim }: Condition): number[][] {
  const { clauses, bits } = new Blaster([...hypotheses, claim]);
  for (const term of hypotheses) clauses.push([...bits.get(term)!]);
  clauses.push([-bits.get(claim)![0]]);
  return clauses;
}

class Blaster {
  readonly clauses: number[][] = [[TRUE]];
  /** Each term's bits, the least significant first. */
  readonly bits = new Map<Term, Bits>();
  private variables = TRUE;
  /** By their two inputs, which ascend for an and-gate and descend for an exclusive or. */
  private readonly gates = new Map<number, number>();

  constructor(roots: readonly Term[]) {
    for (const term of inOrder(roots)) this.bits.set(term, this.blast(term));
  }

  private blast(term: Term): Bits {
    const { op, width, value } = term;
    const [a, b, c] = term.args.map((argument) => this.bits.get(argument)!);
    const each = (bit: (i: number) => number) => Array.from({ length: width }, (_, i) => bit(i));
    switch (op) {
      case "const":
        return constant(value, width);
      case "var":
      case "apply":
        return each(() => ++this.variables);
      case "sum":
        return this.sum(term);
      case "and":
        return each((i) => this.and(a[i], b[i]));
      case "not":
        return each((i) => -a[i]);
      case "concat":
        return [...b, ...a];
      case "extract":
        return each((i) => a[Number(value) + i]);
      case "ite":
        return each((i) => this.or(this.and(a[0], b[i]), this.and(-a[0], c[i])));
      case "eq":
        return [this.equal(a, b)];
      case "ult":
        // a + ~b + 1, which is a - b: nothing is carried out of it where a is less.
        return [-this.add(a, b.map((bit) => -bit), TRUE).carry];
    }
  }

  /** @returns the gate of these inputs: the first time a new literal, with its clauses. */
  private gate(a: number, b: number, clausesOf: (gate: number) => number[][]): number {
    const inputs = a * MOST_LITERALS + b;
    let gate = this.gates.get(inputs);
    if (gate === undefined) {
      this.gates.set(inputs, gate = ++this.variables);
      this.clauses.push(...clausesOf(gate));
    }
    return gate;
  }

  private and(a: number, b: number): number {
    if (a > b) return this.and(b, a);
    if (a === FALSE || b === FALSE || a === -b) return FALSE;
    if (a === TRUE || a === b) return b;
    if (b === TRUE) return a;
    return this.gate(a, b, (gate) => [[-gate, a], [-gate, b], [gate, -a, -b]]);
  }

  private or(a: number, b: number): number {
    return -this.and(-a, -b);
  }

  private xor(a: number, b: number): number {
    if (a < 0) return -this.xor(-a, b);
    if (b < 0) return -this.xor(a, -b);
    if (a < b) return this.xor(b, a);
    if (a === b) return FALSE;
    if (b === TRUE) return -a;
    return this.gate(a, b, (x) => [[-x, a, b], [-x, -a, -b], [x, -a, b], [x, a, -b]]);
  }

  private equal(a: Bits, b: Bits): number {
    return a.reduce((all, bit, i) => this.and(all, -this.xor(bit, b[i])), TRUE);
  }

  private add(a: Bits, b: Bits, carry: number): { bits: Bits; carry: number } {
    const bits = a.map((bit, i) => {
      const half = this.xor(bit, b[i]);
      const sum = this.xor(half, carry);
      carry = this.or(this.and(bit, b[i]), this.and(half, carry));
      return sum;
    });
    return { bits, carry };
  }

  /** Of each part, as many shifted ones are added as its factor has ones. */
  private sum({ args, factors, value, width }: Term): Bits {
    let sum = constant(0n, width);
    let added = value;
    args.forEach((part, n) => {
      const sign = factors[n] < 0n ? -1 : 1;
      constant(factors[n] * BigInt(sign), width).forEach((bit, by) => {
        if (bit === FALSE) return;
        const shifted = this.bits.get(part)!.map((_, i, bits) => sign * (bits[i - by] ?? FALSE));
        sum = this.add(sum, shifted, FALSE).bits;
        if (sign < 0) added++; // -x = ~x + 1
      });
    });
    return this.add(sum, constant(added, width), FALSE).bits;
  }
}

function constant(value: bigint, width: number): Bits {
  const digits = BigInt.asUintN(width, value).toString(2).padStart(width, "0");
  return [...digits].reverse().map((digit) => digit === "1" ? TRUE : FALSE);
}
