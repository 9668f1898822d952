/** Terms against plain arithmetic: what constructors fold, and what clauses and SMT-LIB say. */
import { assert, assertEquals } from "@std/assert";
import { blast } from "../../src/proof/checker/program/blast.ts";
import { inOrder, type Term, Terms } from "../../src/proof/checker/program/term.ts";
import { smtlibOf } from "../../src/proof/smtlib.ts";
import { type Random, seeded } from "../judge/random.ts";
import { evaluator, type Values } from "./evaluate.ts";
import { askSmt, cadical } from "./solvers.ts";

const WIDTHS = [1, 2, 3, 8, 16, 24, 33, 64];
const VARIABLES = 3;

/** A term beside its value, which is computed here and not by the term. */
interface Pair {
  term: Term;
  value: bigint;
}

/** A constant that folds differently from its neighbours half of the time. */
function anyNumber(random: Random, width: number): bigint {
  const bits = random.bytes(8).reduce((all, byte) => all << 8n | BigInt(byte), 0n);
  return BigInt.asUintN(width, random.pick([0n, 1n, 2n, -1n, -2n, bits, bits]));
}

/** @returns the values of variables named after their widths, the same for the same seed. */
function anyValues(random: Random): Values & { of: Map<string, bigint> } {
  const of = new Map<string, bigint>();
  return {
    of,
    variable(name, width) {
      if (!of.has(name)) of.set(name, anyNumber(random, width));
      return of.get(name)!;
    },
    // Some function: its values are 8 bits of a product, so that many are equal.
    apply: (name, argument) =>
      BigInt.asUintN(8, argument * 0x9e3779b97f4a7c15n >> 40n) + BigInt(name.length),
  };
}

/** @returns a term of this width, made of others by any constructor. */
function anyPair(t: Terms, random: Random, values: Values, width: number, depth: number): Pair {
  const inner = (bits = width) => anyPair(t, random, values, bits, depth - 1);
  const from = (term: Term, value: bigint): Pair => ({ term, value: BigInt.asUintN(width, value) });
  if (depth === 0 || random.once(8)) {
    if (random.once(4)) {
      const value = anyNumber(random, width);
      return from(t.constant(value, width), value);
    }
    const name = `v${width} ${random.below(VARIABLES)}`;
    return from(t.variable(name, width), values.variable(name, width));
  }
  if ((width === 8 || width === 16) && random.once(3)) {
    // Sums of a state, a class and a place, as in the table; half of them differ in one part.
    const [x, y] = [inner(64), anyPair(t, random, values, 64, 0)];
    const base = random.pick([0n, 2n]), shift = random.below(2);
    const sum = t.add(t.add(t.shl(x.term, shift), y.term), t.constant(base, 64));
    const argument = BigInt.asUintN(64, (x.value << BigInt(shift)) + y.value + base);
    const name = width === 16 ? "table16" : random.pick(["table8", "frame"]);
    return from(t.apply(name, sum, width), values.apply(name, argument));
  }
  const by = random.below(width);
  const a = inner(), b = random.once(6) ? a : inner();
  const truth = (term: Term, value: boolean) => ({ term, value: value ? 1n : 0n });
  if (width === 1 && random.once(2)) {
    const bits = random.pick(WIDTHS);
    const c = inner(bits), d = random.once(6) ? c : inner(bits);
    const shift = random.below(bits);
    const shifted = ({ value }: Pair) => BigInt.asUintN(bits, value << BigInt(shift));
    return random.pick([
      () => truth(t.eq(c.term, d.term), c.value === d.value),
      () => truth(t.eq(t.shl(c.term, shift), t.shl(d.term, shift)), shifted(c) === shifted(d)),
      () => truth(t.ult(c.term, d.term), c.value < d.value),
      () => truth(t.ule(c.term, d.term), c.value <= d.value),
      () => truth(t.implies(a.term, b.term), a.value === 0n || b.value === 1n),
    ])();
  }
  return random.pick([
    () => from(t.add(a.term, b.term), a.value + b.value),
    () => from(t.sub(a.term, b.term), a.value - b.value),
    () => from(t.shl(a.term, by), a.value << BigInt(by)),
    () => from(t.shr(a.term, by), a.value >> BigInt(by)),
    () => from(t.and(a.term, b.term), a.value & b.value),
    () => from(t.or(a.term, b.term), a.value | b.value),
    () => from(t.not(a.term), ~a.value),
    () => {
      const c = inner(1);
      return from(t.ite(c.term, a.term, b.term), c.value === 1n ? a.value : b.value);
    },
    () => {
      const lowest = random.below(64 - width + 1);
      const c = inner(Math.min(64, width + lowest + random.below(4)));
      return from(t.extract(c.term, lowest, width), c.value >> BigInt(lowest));
    },
    () => {
      if (width === 1) return a;
      const low = 1 + random.below(width - 1);
      // Of one term in a third of all: two neighbours, or two that are not.
      const whole = inner(64), at = random.below(64 - width + 1);
      const gap = random.once(2) ? 0 : random.below(64 - width - at + 1);
      const part = (lowest: number, bits: number): Pair => ({
        term: t.extract(whole.term, lowest, bits),
        value: BigInt.asUintN(bits, whole.value >> BigInt(lowest)),
      });
      const [c, d] = random.once(3)
        ? [part(at + low + gap, width - low), part(at, low)]
        : [inner(width - low), inner(low)];
      return from(t.concat(c.term, d.term), c.value << BigInt(low) | d.value);
    },
    () => {
      const c = inner(1 + random.below(width));
      return from(t.zext(c.term, width), c.value);
    },
  ])();
}

const SEED = 84;

Deno.test("60,000 random terms have the values of what they are made of", () => {
  const random = seeded(SEED);
  const found = { constant: 0, other: 0 };
  for (let i = 0; i < 60_000; i++) {
    const t = new Terms();
    const values = anyValues(random);
    const { term, value } = anyPair(t, random, values, random.pick(WIDTHS), 1 + random.below(5));
    assertEquals(evaluator([term])(values), [value], `seed ${SEED}, term ${i}`);
    found[term.op === "const" ? "constant" : "other"]++;
  }
  assert(found.constant > 5000 && found.other > 30_000, JSON.stringify(found));
});

Deno.test("clauses and SMT-LIB have no other value for a term, and this one", async () => {
  const random = seeded(SEED + 1);
  let applied = 0;
  for (let round = 0; round < 40; round++) {
    const t = new Terms();
    const values = anyValues(random);
    const pairs = Array.from(
      { length: 40 },
      (_, i) =>
        anyPair(
          t,
          random,
          values,
          i < 12 ? random.pick(WIDTHS) : random.pick([8, 16]),
          i < 12 ? 4 : 1,
        ),
    );
    const equal = ({ term, value }: Pair) => t.eq(term, t.constant(value, term.width));
    const all = [...inOrder(pairs.map(({ term }) => term))];
    const known = all.filter(({ op }) => op === "var" || op === "apply");
    const knownValues = evaluator(known)(values);
    const hypotheses = known.map((term, i) => t.eq(term, t.constant(knownValues[i], term.width)));
    applied += known.filter(({ op }) => op === "apply").length;
    const claim = t.all(...pairs.map(equal));
    const holds = { name: "all", hypotheses, claim };
    const fails = { name: "not all", hypotheses, claim: t.not(claim) };
    assertEquals((await cadical(blast(holds))).answer, "unsat", `round ${round}`);
    assertEquals((await cadical(blast(fails))).answer, "sat", `round ${round}`);
    assertEquals(await askSmt("z3", smtlibOf(holds)), "unsat", `round ${round}`);
    assertEquals(await askSmt("z3", smtlibOf(fails)), "sat", `round ${round}`);
  }
  assert(applied > 200, `${applied} values of functions`);
});
