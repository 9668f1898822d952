/**
 * Terms → clauses, bit by bit: and-gates with their inputs in order, each kept once, as clauses by
 * Tseitin. A literal is a number, its negation the negative; literal 1 is true.
 *
 * An uninterpreted function's value is new variables, one vector for each distinct argument. Where
 * arguments that differ may be equal, `congruent` functions' values are then equal; leaving that
 * out of others makes more assignments possible and proves no more.
 */
import { ClauseList } from "./clauses.ts";
import type { Condition } from "./conditions.ts";
import type { Term } from "./term.ts";

type Bits = readonly number[];

const TRUE = 1, FALSE = -1;
const CONGRUENT = "table16";

/** @returns clauses that no assignment satisfies if, and only if, the condition holds. */
export function blast({ hypotheses, claim }: Condition): ClauseList {
  const blaster = new Blaster();
  for (const term of hypotheses) blaster.clauses.push(...blaster.bits(term));
  blaster.clauses.push(-blaster.bits(claim)[0]);
  return blaster.clauses;
}

/** @returns the same as plain arrays. */
export function clausesOf(condition: Condition): number[][] {
  const clauses = blast(condition);
  return Array.from({ length: clauses.length }, (_, i) => [...clauses.at(i)]);
}

class Blaster {
  private variables = 1;
  readonly clauses = new ClauseList();
  private readonly known = new Map<Term, Bits>();
  /** And-gates, by their two inputs. */
  private readonly gates = new Map<number, Map<number, number>>();
  private readonly applied = new Map<string, { argument: Term; bits: Bits; result: Bits }[]>();

  constructor() {
    this.clauses.push(TRUE);
  }

  /** @returns the term's bits, the least significant first. */
  bits(term: Term): Bits {
    const waiting = [term];
    while (waiting.length > 0) {
      const next = waiting.at(-1)!;
      const missing = next.args.filter((argument) => !this.known.has(argument));
      if (missing.length > 0 && !this.known.has(next)) waiting.push(...missing);
      else {
        waiting.pop();
        if (!this.known.has(next)) this.known.set(next, this.blast(next));
      }
    }
    return this.known.get(term)!;
  }

  private blast({ op, width, args, value, name, factors }: Term): Bits {
    const [a, b, c] = args.map((argument) => this.known.get(argument)!);
    const each = (bit: (i: number) => number) => Array.from({ length: width }, (_, i) => bit(i));
    const by = Number(value);
    switch (op) {
      case "const":
        return each((i) => (value >> BigInt(i) & 1n) === 1n ? TRUE : FALSE);
      case "var":
        return each(() => ++this.variables);
      case "apply":
        return this.apply(name, args[0], a, width);
      case "sum":
        return this.sumOf(args, factors, value, width);
      case "and":
        return each((i) => this.and(a[i], b[i]));
      case "or":
        return each((i) => this.or(a[i], b[i]));
      case "not":
        return each((i) => -a[i]);
      case "shr":
        return each((i) => i + by < width ? a[i + by] : FALSE);
      case "concat":
        return [...b, ...a];
      case "extract":
        return a.slice(by, by + width);
      case "zext":
        return each((i) => i < a.length ? a[i] : FALSE);
      case "ite":
        return each((i) => this.choose(a[0], b[i], c[i]));
      case "eq":
        return [this.equal(a, b)];
      case "ult":
        return [-this.add(a, b.map((bit) => -bit), TRUE).carry];
    }
  }

  private and(a: number, b: number): number {
    if (a === FALSE || b === FALSE || a === -b) return FALSE;
    if (a === TRUE || a === b) return b;
    if (b === TRUE) return a;
    const [low, high] = a < b ? [a, b] : [b, a];
    let gates = this.gates.get(low);
    if (gates === undefined) this.gates.set(low, gates = new Map());
    let gate = gates.get(high);
    if (gate === undefined) {
      gate = ++this.variables;
      gates.set(high, gate);
      this.clauses.push(-gate, low);
      this.clauses.push(-gate, high);
      this.clauses.push(gate, -low, -high);
    }
    return gate;
  }

  private or(a: number, b: number): number {
    return -this.and(-a, -b);
  }

  private xor(a: number, b: number): number {
    return this.or(this.and(a, -b), this.and(-a, b));
  }

  private choose(condition: number, then: number, otherwise: number): number {
    if (then === otherwise) return then;
    return this.or(this.and(condition, then), this.and(-condition, otherwise));
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

  private equal(a: Bits, b: Bits): number {
    return a.reduce((all, bit, i) => this.and(all, -this.xor(bit, b[i])), TRUE);
  }

  /** A factor is as many shifted terms as it, or what is missing to 2^width, has ones. */
  private sumOf(
    args: readonly Term[],
    factors: readonly bigint[],
    value: bigint,
    width: number,
  ): Bits {
    let sum: Bits | null = null;
    let constant = value;
    args.forEach((term, n) => {
      const bits = this.known.get(term)!;
      const missing = BigInt.asUintN(width, -factors[n]);
      const negative = ones(missing) < ones(factors[n]);
      const factor = negative ? missing : factors[n];
      for (let by = 0; by < width; by++) {
        if ((factor >> BigInt(by) & 1n) === 0n) continue;
        const shifted = bits.map((_, i) => i < by ? FALSE : bits[i - by]);
        // -x = ~x + 1
        const part = negative ? shifted.map((bit) => -bit) : shifted;
        if (negative) constant += 1n;
        sum = sum === null ? part : this.add(sum, part, FALSE).bits;
      }
    });
    const last = Array.from(
      { length: width },
      (_, i) => (constant >> BigInt(i) & 1n) === 1n ? TRUE : FALSE,
    );
    return sum === null ? last : this.add(sum, last, FALSE).bits;
  }

  private apply(name: string, argument: Term, bits: Bits, width: number): Bits {
    const key = `${name} ${width}`;
    const others = this.applied.get(key) ?? [];
    this.applied.set(key, others);
    const same = others.find((other) => other.bits.every((bit, i) => bit === bits[i]));
    if (same !== undefined) return same.result;
    const result = Array.from({ length: width }, () => ++this.variables);
    if (name === CONGRUENT) {
      for (const other of others) {
        const differing = differingPart(argument, other.argument);
        if (differing === null) continue;
        const [one, two] = differing.map((term) => this.known.get(term)!);
        const equal = this.equal(one, two);
        if (equal === FALSE) continue;
        result.forEach((bit, i) => {
          this.clauses.push(-equal, -bit, other.result[i]);
          this.clauses.push(-equal, bit, -other.result[i]);
        });
      }
    }
    others.push({ argument, bits, result });
    return result;
  }
}

/** @returns the one part in which two sums differ, with equal factors: if it is equal, so are they. */
function differingPart(one: Term, two: Term): [Term, Term] | null {
  const same = one.op === "sum" && two.op === "sum" && one.value === two.value;
  if (!same || one.args.length !== two.args.length) return null;
  const only = (here: Term, there: Term) =>
    here.args.map((term, i) => ({ term, factor: here.factors[i] })).filter(({ term, factor }) =>
      there.factors[there.args.indexOf(term)] !== factor
    );
  const [a, b] = [only(one, two), only(two, one)];
  return a.length === 1 && b.length === 1 && a[0].factor === b[0].factor
    ? [a[0].term, b[0].term]
    : null;
}

function ones(number: bigint): number {
  return number.toString(2).replaceAll("0", "").length;
}
