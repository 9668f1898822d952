/** The predicate language by derivatives: `diodes/README.md`, sentence by sentence. */
import type { Predicate } from "../../../policy/predicate.ts";
import { LEADS } from "./characters.ts";
import { EDGE, type Expression, Expressions } from "./expressions.ts";
import { BYTES, once } from "./once.ts";
import { type Residual, Residuals } from "./residuals.ts";
import { type ReadRegex, Text } from "./text.ts";

/** Makes expressions over bytes. */
class Bytes extends Expressions {
  readonly tests = new Map<string, (byte: number) => boolean>();

  /** A byte that the test holds of. */
  byte(test: (byte: number) => boolean): Expression {
    const key = BYTES.filter(test).join();
    this.tests.set(key, test);
    return this.one(key, test);
  }

  from(first: number, last: number): Expression {
    return this.byte((byte) => byte >= first && byte <= last);
  }

  literal(bytes: Uint8Array): Expression {
    return this.sequence(...[...bytes].map((byte) => this.from(byte, byte)));
  }

  sequence(...all: Expression[]): Expression {
    return all.reduceRight((rest, first) => this.then(first, rest), this.empty);
  }
}

/** @returns what `and`, or `or`, connects, however it is grouped. */
function operands(predicate: Predicate, kind: "and" | "or"): Predicate[] {
  if (predicate.kind !== kind) return [predicate];
  return [predicate.left, predicate.right].flatMap((one) => operands(one, kind));
}

type Compared = Extract<Predicate, { kind: "size" | "json-depth" }>;

/** @returns the least and the most number that a comparison allows. */
export function interval({ comparison, bound }: Compared): [least: number, most: number] {
  const least = comparison === ">" ? bound + 1 : comparison.includes("<") ? 0 : bound;
  const most = comparison === "<" ? bound - 1 : comparison.includes(">") ? Infinity : bound;
  return [least, most];
}

export class PredicateReader extends Residuals {
  private readonly texts = new Map<string, Text>();
  private languages = 0;

  constructor(private readonly readRegex: ReadRegex) {
    super();
  }

  /** @returns the payloads that the predicate accepts. */
  read(predicate: Predicate): Residual {
    switch (predicate.kind) {
      case "anything":
        return this.always;
      case "nothing":
        return this.never;
      case "not":
        return this.not(this.read(predicate.operand));
      case "and":
        return this.all(operands(predicate, "and").map((one) => this.read(one)));
      case "or":
        return this.not(this.all(operands(predicate, "or").map((one) => this.not(this.read(one)))));
      case "size":
        return this.bytes((e) => e.times(e.any, ...interval(predicate)));
      case "json-depth":
        return this.jsonDepth(...interval(predicate), 0, "outside");
      case "starts-with":
        return this.bytes((e) =>
          e.or(predicate.literals.map((literal) => e.then(e.literal(literal), e.all)))
        );
      case "contains": {
        const { literal, within } = predicate;
        const before = (within ?? Infinity) - literal.length;
        return this.bytes((e) => e.sequence(e.times(e.any, 0, before), e.literal(literal), e.all));
      }
      case "printable":
        return this.bytes((e) => firstIn(e, e.from(0x20, 0x7e), predicate.within));
      case "all-in": {
        const { ranges, within } = predicate;
        const listed = (byte: number) => ranges.some((r) => r.first <= byte && byte <= r.last);
        return this.bytes((e) => firstIn(e, e.byte(listed), within));
      }
      case "utf8":
        return this.bytes(utf8);
      case "matches": {
        const { source, flags } = predicate;
        const name = `/${source}/${flags}`;
        const make = () => new Text(this, this.readRegex(source, flags), name);
        return once(this.texts, name, make).begin();
      }
    }
  }

  /** Halved and halved again: so what many share is worked out once. */
  private all(some: readonly Residual[]): Residual {
    if (some.length < 2) return some[0];
    const half = some.length >> 1;
    return this.and(this.all(some.slice(0, half)), this.all(some.slice(half)));
  }

  private bytes(make: (e: Bytes) => Expression): Residual {
    const e = new Bytes();
    const name = `bytes ${this.languages++}`;
    const whole = make(e);
    const tests = [...e.tests.values()];
    const classes = this.classesBy((byte) => tests.map((test) => test(byte)).join());
    const residual = (one: Expression): Residual => {
      if (one === e.never) return this.never;
      if (one === e.all) return this.always;
      const step = (byte: number) => residual(one.derive(byte, EDGE));
      return this.make(`${name} ${one.id}`, one.nullable(EDGE, EDGE), () => classes, step);
    };
    return residual(whole);
  }

  /** The highest level will be from `least` to `most`; `least` is 0 once it was reached. */
  private jsonDepth(
    least: number,
    most: number,
    level: number,
    place: "outside" | "string" | "escape",
  ): Residual {
    if (level > most) return this.never;
    if (level >= least) least = 0;
    if (least === 0 && most === Infinity) return this.always;
    const key = `json ${least} ${most} ${level} ${place}`;
    const classes = () => this.classesBy((byte) => byte);
    return this.make(key, least === 0, classes, (byte) => {
      const character = String.fromCharCode(byte);
      const go = (to: typeof place, by = 0) =>
        this.jsonDepth(least, most, Math.max(0, level + by), to);
      if (place === "escape") return go("string");
      if (character === '"') return go(place === "string" ? "outside" : "string");
      if (place === "string") return go(character === "\\" ? "escape" : "string");
      return go("outside", "{[".includes(character) ? 1 : "}]".includes(character) ? -1 : 0);
    });
  }
}

/** Each byte is in the set; or the first so many are, and there are more. */
function firstIn(e: Expressions, set: Expression, within: number | null): Expression {
  if (within === null) return e.times(set, 0, Infinity);
  return e.or([e.times(set, 0, within), e.then(e.times(set, within, within), e.all)]);
}

/** What is left of a character, characters, and what of one is there. */
function utf8(e: Bytes): Expression {
  const later = e.from(0x80, 0xbf);
  const whole = LEADS.map(({ first, last, more, low, high }) =>
    e.sequence(
      e.from(first, last),
      ...more ? [e.from(low, high), e.times(later, more - 1, more - 1)] : [],
    )
  );
  const begun = LEADS.map(({ first, last, more, low, high }) =>
    e.then(
      e.from(first, last),
      more < 2 ? e.empty : e.or([e.empty, e.then(e.from(low, high), e.times(later, 0, more - 2))]),
    )
  );
  return e.sequence(
    e.times(later, 0, 3),
    e.times(e.or(whole), 0, Infinity),
    e.or([e.empty, ...begun]),
  );
}
