/**
 * Bit-vector terms: the language of the verification conditions. A truth value is a vector of one
 * bit. Equal terms are one object. Constructors fold constants, and write sums and equations of sums
 * in one form: what they may change is what a reader has to trust.
 */

export interface Term {
  readonly id: number;
  readonly op:
    | "const"
    | "var"
    /** An uninterpreted function, `name`, of one argument. */
    | "apply"
    /** `value` + the sum of each argument times its factor, modulo 2^width. */
    | "sum"
    | "and"
    | "not"
    /** Its first argument becomes the upper bits. */
    | "concat"
    /** `width` bits of its argument from bit `value` on. */
    | "extract"
    | "ite"
    | "eq"
    /** Unsigned. */
    | "ult";
  /** Bits. */
  readonly width: number;
  readonly args: readonly Term[];
  /** Of `const`: itself. Of `sum`: what is added. Of `extract`: the lowest bit. */
  readonly value: bigint;
  /** Of `sum`: one for each argument, not 0, -2^(width-1) to 2^(width-1) - 1. */
  readonly factors: readonly bigint[];
  readonly name: string;
}

/** Makes terms. One of it for all the terms that are to be compared. */
export class Terms {
  private readonly known = new Map<string, Term>();
  readonly true = this.constant(1, 1);
  readonly false = this.constant(0, 1);

  private make(
    op: Term["op"],
    width: number,
    args: readonly Term[],
    { value = 0n, name = "", factors = [] as readonly bigint[] } = {},
  ): Term {
    const key = `${op} ${width} ${value} ${name} ${args.map(({ id }) => id)} ${factors}`;
    let term = this.known.get(key);
    if (term === undefined) {
      term = { id: this.known.size, op, width, args, value, name, factors };
      this.known.set(key, term);
    }
    return term;
  }

  constant(value: bigint | number, width: number): Term {
    return this.make("const", width, [], { value: BigInt.asUintN(width, BigInt(value)) });
  }

  variable(name: string, width: number): Term {
    return this.make("var", width, [], { name });
  }

  apply(name: string, argument: Term, width: number): Term {
    return this.make("apply", width, [argument], { name });
  }

  /** @returns left + right times the factor: each part of the sums once, by their ids. */
  private addTimes(left: Term, right: Term, times: bigint): Term {
    const { width } = sameWidth(left, right);
    const factorOf = new Map<Term, bigint>();
    let added = 0n;
    for (const [term, by] of [[left, 1n], [right, times]] as const) {
      const isSum = term.op === "sum" || term.op === "const";
      if (isSum) added += by * term.value;
      (isSum ? term.args : [term]).forEach((part, i) => {
        const factor = (factorOf.get(part) ?? 0n) + by * (isSum ? term.factors[i] : 1n);
        factorOf.set(part, BigInt.asIntN(width, factor));
      });
    }
    const value = BigInt.asUintN(width, added);
    const parts = [...factorOf].filter(([, factor]) => factor !== 0n);
    if (parts.length === 0) return this.constant(value, width);
    if (parts.length === 1 && parts[0][1] === 1n && value === 0n) return parts[0][0];
    parts.sort(([a], [b]) => a.id - b.id);
    const [args, factors] = [parts.map(([part]) => part), parts.map(([, factor]) => factor)];
    return this.make("sum", width, args, { value, factors });
  }

  add(left: Term, right: Term): Term {
    return this.addTimes(left, right, 1n);
  }

  sub(left: Term, right: Term): Term {
    return this.addTimes(left, right, -1n);
  }

  shl(term: Term, bits: number): Term {
    return this.addTimes(this.constant(0, term.width), term, 1n << BigInt(bits));
  }

  and(left: Term, right: Term): Term {
    const { width } = sameWidth(left, right);
    const [zeros, ones] = [this.constant(0, width), this.constant(-1, width)];
    if (left === zeros || right === zeros) return zeros;
    if (left === ones || left === right) return right;
    if (right === ones) return left;
    return this.make("and", width, [left, right]);
  }

  not(term: Term): Term {
    if (term.op === "not") return term.args[0];
    if (term.op === "const") return this.constant(~term.value, term.width);
    return this.make("not", term.width, [term]);
  }

  or(left: Term, right: Term): Term {
    return this.not(this.and(this.not(left), this.not(right)));
  }

  shr(term: Term, bits: number): Term {
    return this.zext(this.extract(term, bits, term.width - bits), term.width);
  }

  /** `high` becomes the upper bits. */
  concat(high: Term, low: Term): Term {
    const width = high.width + low.width;
    if (high.op === "const" && low.op === "const") {
      return this.constant(high.value << BigInt(low.width) | low.value, width);
    }
    const [a, b] = [high, low].map(({ op, args }) => op === "extract" ? args[0] : null);
    if (a !== null && a === b && high.value === low.value + BigInt(low.width)) {
      return this.extract(a, Number(low.value), width);
    }
    return this.make("concat", width, [high, low]);
  }

  /** @returns `width` bits of the term from bit `lowest` on. */
  extract(term: Term, lowest: number, width: number): Term {
    if (lowest + width > term.width) throw new TypeError(`bits beyond ${term.width}`);
    if (width === term.width) return term;
    if (term.op === "const") return this.constant(term.value >> BigInt(lowest), width);
    if (term.op === "concat") {
      const [high, low] = term.args;
      if (lowest >= low.width) return this.extract(high, lowest - low.width, width);
      if (lowest + width <= low.width) return this.extract(low, lowest, width);
    }
    return this.make("extract", width, [term], { value: BigInt(lowest) });
  }

  /** @returns the term with zeros above, to this width. */
  zext(term: Term, width: number): Term {
    return width === term.width ? term : this.concat(this.constant(0, width - term.width), term);
  }

  /** @param condition of one bit. */
  ite(condition: Term, then: Term, otherwise: Term): Term {
    sameWidth(condition, this.true);
    if (then === otherwise) return then;
    return this.make("ite", sameWidth(then, otherwise).width, [condition, then, otherwise]);
  }

  /** In one form: of two multiples, or a sum that begins with a positive factor and a constant. */
  eq(left: Term, right: Term): Term {
    const zero = this.constant(0, left.width);
    const difference = this.sub(left, right);
    if (difference.op === "const") return difference === zero ? this.true : this.false;
    const turned = difference.factors[0] < 0n ? this.sub(zero, difference) : difference;
    const { op, args, factors, value } = turned;
    const added = op === "sum" ? this.constant(value, left.width) : zero;
    if (op === "sum" && added === zero && args.length === 2 && factors[0] === -factors[1]) {
      return this.make("eq", 1, args.map((part) => this.addTimes(zero, part, factors[0])));
    }
    return this.make("eq", 1, [this.sub(turned, added), this.sub(zero, added)]);
  }

  /** Unsigned. */
  ult(left: Term, right: Term): Term {
    sameWidth(left, right);
    return this.make("ult", 1, [left, right]);
  }

  ule(left: Term, right: Term): Term {
    return this.not(this.ult(right, left));
  }

  all(...terms: readonly Term[]): Term {
    return terms.reduce((all, term) => this.and(all, term), this.true);
  }

  any(...terms: readonly Term[]): Term {
    return terms.reduce((any, term) => this.or(any, term), this.false);
  }

  implies(condition: Term, then: Term): Term {
    return this.or(this.not(condition), then);
  }
}

function sameWidth(one: Term, other: Term): Term {
  if (one.width !== other.width) throw new TypeError(`${one.width} and ${other.width} bits`);
  return one;
}

/** @returns all terms in these, each once and after those that it is made of. */
export function inOrder(roots: readonly Term[]): Set<Term> {
  const done = new Set<Term>();
  const waiting = roots.toReversed();
  while (waiting.length > 0) {
    const missing = waiting.at(-1)!.args.filter((argument) => !done.has(argument));
    if (missing.length > 0) waiting.push(...missing);
    else done.add(waiting.pop()!);
  }
  return done;
}
