/**
 * Extended regular expressions by derivatives (J. Brzozowski, 1964): what must still follow a symbol
 * is an expression again. Equal ones are one object. What `^ $ \b \B` ask of a place is what stands
 * on its two sides. Repetitions are counted and not written out, and alternatives that differ in how
 * often they repeat only are one, for all the numbers in a row.
 */
import { refuse } from "../refusal.ts";
import { once } from "./once.ts";

/** What stands on a side of a place: a symbol like any other, nothing, a line break, a word's. */
export const OTHER = 0, EDGE = 1, LINE = 2, WORD = 3;
const SIDES = [OTHER, EDGE, LINE, WORD];

/** Sets of places hold a bit for each two sides. */
export const NOWHERE = 0, EVERYWHERE = 0xffff;

/** @returns the set of the places that are so. */
export function places(holds: (before: number, after: number) => boolean): number {
  const both = SIDES.flatMap((before) => SIDES.map((after) => holds(before, after)));
  return both.reduce((set, held, bit) => set | Number(held) << bit, NOWHERE);
}

/** More than any table needs: beyond, the answer is no. */
const MOST = 200_000;

/** What is repeated, how often, and what must follow then. */
interface Repetition {
  readonly of: Expression;
  readonly least: number;
  readonly most: number;
  readonly rest: Expression;
}

type Step = (symbol: number, before: number) => Expression;

export class Expression {
  private readonly derivatives = new Map<number, Expression>();
  /** Those of which one must follow: itself, if it is no choice. */
  readonly options: readonly Expression[];

  /** @param nullable the places at which nothing need follow. */
  constructor(
    readonly id: number,
    readonly nullable: number,
    private readonly step: Step,
    options?: readonly Expression[],
    readonly repetition?: Repetition,
  ) {
    this.options = options ?? [this];
  }

  /** Whether nothing need follow between two sides. */
  ends(before = OTHER, after = OTHER): boolean {
    return (this.nullable >> SIDES.length * before + after & 1) === 1;
  }

  /** @returns what must follow the symbol, if `before` stands before it. */
  derive(symbol: number, before = OTHER): Expression {
    return once(this.derivatives, symbol * SIDES.length + before, () => this.step(symbol, before));
  }
}

export class Expressions {
  private readonly interned = new Map<string, Expression>();
  readonly never: Expression = this.or([]);
  readonly empty = this.at("everywhere", EVERYWHERE);
  readonly any = this.one("any", () => true);
  /** Whatever it be. */
  readonly all = this.times(this.any, 0, Infinity);

  /** What a symbol is to the places beside it. */
  sideOf(_symbol: number): number {
    return OTHER;
  }

  /** @param key tells it from all others. */
  make(key: string, nullable: number, step: Step, ...parts: [Expression[]?, Repetition?]) {
    return once(this.interned, key, () => {
      const id = this.interned.size;
      if (id >= MOST) throw refuse("predicate", `more than ${MOST} things may follow by it`);
      return new Expression(id, nullable, step, ...parts);
    });
  }

  /** One symbol. @param key tells its set from all others. */
  one(key: string, has: (symbol: number) => boolean): Expression {
    return this.make(`one ${key}`, NOWHERE, (symbol) => has(symbol) ? this.empty : this.never);
  }

  /** Nothing, at one of the places. */
  at(key: string, set: number): Expression {
    return this.make(`at ${key}`, set, () => this.never);
  }

  /** One after another. */
  sequence(all: readonly Expression[]): Expression {
    return all.reduceRight((rest, first) => this.then(first, rest), this.empty);
  }

  then(first: Expression, rest: Expression): Expression {
    const { options, repetition } = first;
    if (options.length !== 1) return this.or(options.map((one) => this.then(one, rest)));
    if (!repetition) return this.times(first, 1, 1, rest);
    const { of, least, most } = repetition;
    return this.times(of, least, most, this.then(repetition.rest, rest));
  }

  times(of: Expression, least: number, most: number, rest = this.empty): Expression {
    const single = least === 1 && most === 1;
    if (rest === this.never || least > most || (of === this.never && least > 0)) return this.never;
    if (most === 0 || of === this.never || of === this.empty) return rest;
    if (single && (of.repetition || of.options.length > 1)) return this.then(of, rest);
    if (single && rest === this.empty) return of;
    const step: Step = (symbol, before) => {
      const skips = of.ends(before, this.sideOf(symbol));
      // Where one may be empty, any number of them may have been, and need no counting.
      const fewer = skips ? 0 : Math.max(0, least - 1);
      const within = this.then(of.derive(symbol, before), this.times(of, fewer, most - 1, rest));
      return skips || least === 0 ? this.or([within, rest.derive(symbol, before)]) : within;
    };
    const nullable = (least === 0 ? EVERYWHERE : of.nullable) & rest.nullable;
    const key = `${of.id}{${least},${most}}${rest.id}`;
    return this.make(key, nullable, step, undefined, { of, least, most, rest });
  }

  or(all: readonly Expression[]): Expression {
    const alike = Map.groupBy(
      new Set(all.flatMap(({ options }) => options)),
      ({ id, repetition }) => repetition ? `${repetition.of.id} ${repetition.rest.id}` : id,
    );
    const options = [...alike.values()].flatMap((some) => this.joined(some));
    if (options.includes(this.all)) return this.all;
    if (options.length === 1) return options[0];
    options.sort((a, b) => a.id - b.id);
    const nullable = options.reduce((set, one) => set | one.nullable, NOWHERE);
    const step: Step = (symbol, before) =>
      this.or(options.map((one) => one.derive(symbol, before)));
    return this.make(options.map(({ id }) => id).join("|"), nullable, step, options);
  }

  /** @returns the fewest that say the same as some that differ in how often they repeat only. */
  private joined(some: Expression[]): Expression[] {
    if (some.length === 1) return some;
    const rows: Repetition[] = [];
    for (const next of some.map((one) => one.repetition!).sort((a, b) => a.least - b.least)) {
      const last = rows.at(-1);
      if (!last || next.least > last.most + 1) rows.push(next);
      else rows.push({ ...rows.pop()!, most: Math.max(last.most, next.most) });
    }
    return rows.map(({ of, least, most, rest }) => this.times(of, least, most, rest));
  }

  and(left: Expression, right: Expression): Expression {
    if (left === this.never || right === this.all || left === right) return left;
    if (right === this.never || left === this.all) return right;
    const step: Step = (symbol, before) =>
      this.and(left.derive(symbol, before), right.derive(symbol, before));
    return this.make(`${left.id}&${right.id}`, left.nullable & right.nullable, step);
  }

  not(one: Expression): Expression {
    if (one === this.never) return this.all;
    if (one === this.all) return this.never;
    const step: Step = (symbol, before) => this.not(one.derive(symbol, before));
    return this.make(`~${one.id}`, EVERYWHERE & ~one.nullable, step);
  }
}
