/**
 * Regular expressions by derivatives (J. Brzozowski, 1964): what must still follow a symbol is an
 * expression again. What `^ $ \b \B` ask of a place is what stands on its two sides, so both
 * questions are asked of a place. Repetitions are counted and not written out; alternatives that
 * differ in one count only are one, for all the counts in a row. Equal expressions are one object.
 */
import { once } from "./once.ts";

/** What stands on a side of a place: nothing, a line break, a word's character, another. */
export const EDGE = 0, LINE = 1, WORD = 2, OTHER = 3;
export const SIDES = [EDGE, LINE, WORD, OTHER];
export type Place = (before: number, after: number) => boolean;

export interface Expression {
  readonly id: number;
  /** Whether nothing need follow, at a place. */
  readonly nullable: Place;
  /** What must follow the symbol behind a place. */
  readonly derive: (symbol: number, before: number) => Expression;
  /** The alternatives: itself, if it is not several. */
  readonly options: readonly Expression[];
  /** Of one after another: the first, and what follows it. */
  readonly first: Expression | null;
  readonly rest: Expression | null;
  /** Of what asks only for a place: which. */
  readonly place: Place | null;
  /** The first repetition in it; `name` is the same for those that differ in its numbers only. */
  readonly count: Count | null;
}

interface Count {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly change: (least: number, most: number) => Expression;
}

export class Expressions {
  private readonly interned = new Map<string, Expression>();
  readonly never: Expression = this.make("never", () => false, () => this.never);
  readonly empty = this.make("empty", () => true, () => this.never);
  readonly any = this.one("any", () => true);
  /** Everything. */
  readonly all = this.times(this.any, 0, Infinity);

  /** @param sideOf what a symbol is to the places beside it. */
  constructor(private readonly sideOf: (symbol: number) => number = () => OTHER) {}

  private make(
    key: string,
    nullable: Place,
    derive: Expression["derive"],
    parts: Partial<Expression> = {},
  ): Expression {
    return once(this.interned, key, () => {
      const derivatives = new Map<number, Expression>();
      const made: Expression = {
        id: this.interned.size,
        nullable,
        derive: (symbol, before) =>
          once(derivatives, symbol * SIDES.length + before, () => derive(symbol, before)),
        get options() {
          return parts.options ?? [made];
        },
        first: null,
        rest: null,
        place: null,
        count: null,
        ...parts,
      };
      return made;
    });
  }

  /** One symbol. @param key tells its set from all others. */
  one(key: string, has: (symbol: number) => boolean): Expression {
    const derive = (symbol: number) => has(symbol) ? this.empty : this.never;
    return this.make(`one ${key}`, () => false, derive);
  }

  /** A place. */
  at(key: string, place: Place): Expression {
    return this.make(`at ${key}`, place, () => this.never, { place });
  }

  then(first: Expression, rest: Expression): Expression {
    if (first === this.never || rest === this.never) return this.never;
    if (first === this.empty) return rest;
    if (rest === this.empty) return first;
    if (first.options.length > 1) return this.or(first.options.map((one) => this.then(one, rest)));
    if (first.rest) return this.then(first.first!, this.then(first.rest, rest));
    const derive = (symbol: number, before: number) => {
      const within = this.then(first.derive(symbol, before), rest);
      const skips = first.nullable(before, this.sideOf(symbol));
      return skips ? this.or([within, rest.derive(symbol, before)]) : within;
    };
    const nullable: Place = (before, after) =>
      first.nullable(before, after) && rest.nullable(before, after);
    const [name, inside] = first.count
      ? [`${first.count.name}.${rest.id}`, first.count]
      : [`${first.id}.${rest.count?.name}`, rest.count];
    const change = (least: number, most: number) =>
      first.count
        ? this.then(inside!.change(least, most), rest)
        : this.then(first, inside!.change(least, most));
    const count = inside && { ...inside, name, change };
    return this.make(`${first.id}.${rest.id}`, nullable, derive, { first, rest, count });
  }

  times(of: Expression, least: number, most: number): Expression {
    if (least > most || (of === this.never && least > 0)) return this.never;
    if (most === 0 || of === this.empty || of === this.never) return this.empty;
    if (least === 1 && most === 1) return of;
    const nullable: Place = (before, after) => least === 0 || of.nullable(before, after);
    const derive = (symbol: number, before: number) => {
      // Where one may be empty, any number of them may have been, and need no counting.
      const fewer = of.nullable(before, this.sideOf(symbol)) ? 0 : Math.max(0, least - 1);
      return this.then(of.derive(symbol, before), this.times(of, fewer, most - 1));
    };
    const change = (fewest: number, greatest: number) => this.times(of, fewest, greatest);
    const count = { name: `${of.id}#`, least, most, change };
    return this.make(`${of.id}{${least},${most}}`, nullable, derive, { count });
  }

  or(all: readonly Expression[]): Expression {
    const counted = new Map<string, Expression[]>();
    const options = new Set<Expression>();
    for (const one of all.flatMap(({ options }) => options)) {
      if (one.count) once(counted, one.count.name, () => []).push(one);
      else if (one !== this.never) options.add(one);
    }
    for (const alike of counted.values()) {
      const counts = alike.map(({ count }) => count!).sort((a, b) => a.least - b.least);
      let { least, most } = counts[0];
      for (const next of counts) {
        if (next.least > most + 1) {
          options.add(next.change(least, most));
          ({ least, most } = next);
        }
        most = Math.max(most, next.most);
      }
      options.add(counts[0].change(least, most));
    }
    if (options.has(this.all)) return this.all;
    if (options.size < 2) return [...options][0] ?? this.never;
    const sorted = [...options].sort((a, b) => a.id - b.id);
    const nullable: Place = (before, after) => sorted.some((one) => one.nullable(before, after));
    const derive = (symbol: number, before: number) =>
      this.or(sorted.map((one) => one.derive(symbol, before)));
    const key = sorted.map(({ id }) => id).join("|");
    return this.make(key, nullable, derive, { options: sorted });
  }
}
