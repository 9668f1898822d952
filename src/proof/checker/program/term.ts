/**
 * Bit-vector terms: the language of the verification conditions. A truth value is a vector of one
 * bit. Equal terms are one object. Constructors fold constants, and write sums and equations of sums
 * in one order: what they may change is what a reader has to trust.
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
    | "or"
    | "not"
    | "shr"
    | "concat"
    | "extract"
    | "zext"
    | "ite"
    | "eq"
    | "ult";
  /** Bits, 1 to 64. */
  readonly width: number;
  readonly args: readonly Term[];
  /** Of `const`: itself. Of `sum`: what is added. Of `shr`: bits. Of `extract`: the lowest bit. */
  readonly value: bigint;
  /** Of `sum`: one for each argument, 1 to 2^width - 1. */
  readonly factors: readonly bigint[];
  readonly name: string;
}

/** Makes terms. One of it for all the terms that are to be compared. */
export class Terms {
  private readonly known = new Map<string, Term>();
  readonly true = this.constant(1n, 1);
  readonly false = this.constant(0n, 1);

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

  /** Folds an operation on two constants, or keeps it. */
  private binary(
    op: "and" | "or" | "ult",
    left: Term,
    right: Term,
    fold: (a: bigint, b: bigint) => bigint,
  ): Term {
    if (left.width !== right.width) throw new TypeError(`${op} of ${left.width}, ${right.width}`);
    const width = op === "ult" ? 1 : left.width;
    if (left.op === "const" && right.op === "const") {
      return this.constant(fold(left.value, right.value), width);
    }
    return this.make(op, width, [left, right]);
  }

  /** @returns left times `a` plus right times `b`. */
  private linear(left: Term, a: bigint, right: Term, b: bigint): Term {
    const { width } = left;
    if (width !== right.width) throw new TypeError(`a sum of ${width}, ${right.width}`);
    const factors = new Map<Term, bigint>();
    let constant = 0n;
    for (const [term, times] of [[left, a], [right, b]] as const) {
      const isSum = term.op === "sum" || term.op === "const";
      const parts = isSum ? term.args : [term];
      parts.forEach((part, i) => {
        const factor = (factors.get(part) ?? 0n) + times * (isSum ? term.factors[i] : 1n);
        factors.set(part, BigInt.asUintN(width, factor));
      });
      if (isSum) constant += times * term.value;
    }
    return this.sum([...factors], constant, width);
  }

  private sum(parts: [Term, bigint][], constant: bigint, width: number): Term {
    const value = BigInt.asUintN(width, constant);
    const kept = parts.filter(([, factor]) => factor !== 0n).sort(([a], [b]) => a.id - b.id);
    if (kept.length === 0) return this.constant(value, width);
    if (kept.length === 1 && kept[0][1] === 1n && value === 0n) return kept[0][0];
    const factors = kept.map(([, factor]) => factor);
    return this.make("sum", width, kept.map(([part]) => part), { value, factors });
  }

  add(left: Term, right: Term): Term {
    return this.linear(left, 1n, right, 1n);
  }

  sub(left: Term, right: Term): Term {
    return this.linear(left, 1n, right, -1n);
  }

  shl(term: Term, bits: number): Term {
    return this.linear(term, 1n << BigInt(bits), this.constant(0, term.width), 1n);
  }

  and(left: Term, right: Term): Term {
    const ones = this.constant(-1n, left.width);
    if (left === ones || left === right) return right;
    if (right === ones) return left;
    if (left.value === 0n && left.op === "const") return left;
    if (right.value === 0n && right.op === "const") return right;
    return this.binary("and", left, right, (a, b) => a & b);
  }

  or(left: Term, right: Term): Term {
    const ones = this.constant(-1n, left.width);
    if (left === ones || right === ones) return ones;
    if (left === right || (right.op === "const" && right.value === 0n)) return left;
    if (left.op === "const" && left.value === 0n) return right;
    return this.binary("or", left, right, (a, b) => a | b);
  }

  not(term: Term): Term {
    if (term.op === "not") return term.args[0];
    if (term.op === "const") return this.constant(~term.value, term.width);
    return this.make("not", term.width, [term]);
  }

  shr(term: Term, bits: number): Term {
    if (bits === 0) return term;
    if (term.op === "const") return this.constant(term.value >> BigInt(bits), term.width);
    return this.make("shr", term.width, [term], { value: BigInt(bits) });
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
    if (term.op === "zext" && lowest + width <= term.args[0].width) {
      return this.extract(term.args[0], lowest, width);
    }
    if (term.op === "concat") {
      const [high, low] = term.args;
      if (lowest >= low.width) return this.extract(high, lowest - low.width, width);
      if (lowest + width <= low.width) return this.extract(low, lowest, width);
    }
    return this.make("extract", width, [term], { value: BigInt(lowest) });
  }

  zext(term: Term, width: number): Term {
    if (width < term.width) throw new TypeError(`${term.width} bits as ${width}`);
    if (width === term.width) return term;
    if (term.op === "const") return this.constant(term.value, width);
    return this.make("zext", width, [term]);
  }

  /** @param condition of one bit. */
  ite(condition: Term, then: Term, otherwise: Term): Term {
    if (then === otherwise || condition === this.true) return then;
    if (condition === this.false) return otherwise;
    if (then.width !== otherwise.width || condition.width !== 1) throw new TypeError("ite");
    return this.make("ite", then.width, [condition, then, otherwise]);
  }

  /** Written in one way: `x = y`, or a sum that is a constant. */
  eq(left: Term, right: Term): Term {
    const { width } = left;
    const difference = this.sub(left, right);
    const { op, args, factors, value } = difference;
    if (op === "const") return value === 0n ? this.true : this.false;
    if (op !== "sum") return this.make("eq", 1, [difference, this.constant(0, width)]);
    const opposite = factors.length === 2 && factors[1] === BigInt.asUintN(width, -factors[0]);
    if (opposite && factors[0] % 2n === 1n && value === 0n) return this.make("eq", 1, args);
    // Of a sum and its negative, the one that begins with a smaller factor.
    const turned = factors[0] >> BigInt(width - 1) === 1n;
    const sum = turned ? this.sub(this.constant(0, width), difference) : difference;
    const plain = this.sub(sum, this.constant(sum.value, width));
    return this.make("eq", 1, [plain, this.constant(-sum.value, width)]);
  }

  /** Unsigned. */
  ult(left: Term, right: Term): Term {
    if (left === right) return this.false;
    return this.binary("ult", left, right, (a, b) => a < b ? 1n : 0n);
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
