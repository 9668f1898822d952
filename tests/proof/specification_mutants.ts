/**
 * The specification with one operation or constant changed: every call of a term's constructor in
 * its source is a place, told apart by the lines that lead there.
 */
import type { Instruction } from "../../src/proof/checker/program/decode.ts";
import { type Condition, Part, partsOf } from "../../src/proof/checker/program/conditions.ts";
import { Specification } from "../../src/proof/checker/program/specification.ts";
import { type Term, Terms } from "../../src/proof/checker/program/term.ts";
import { programCuts } from "../../src/proof/program_places.ts";

/** What may be done at a place instead: by name, the call done otherwise. */
type Others = Record<string, () => Term>;

/**
 * Called at each place. `where` tells which, null for none of the specification's own; it takes its
 * time. @returns the name of what is done instead, or null.
 */
export type Chooser = (where: () => string | null, others: readonly string[]) => string | null;

/** @returns where in the specification's source we are: `linkRules:116 > is:57`, or null outside. */
function placeOf(): string | null {
  const frames = new Error().stack!.split("\n").filter((line) =>
    line.includes("specification.ts:")
  );
  const names = frames.map((line) =>
    /(?:Specification\.|new )?(\w+) \(\S*specification\.ts:(\d+:\d+)\)|specification\.ts:(\d+:\d+)/
      .exec(line)!
  ).map(([, name, at, bare]) => `${name ?? ""}:${at ?? bare}`);
  // Numbers that the conditions ask for are none of the specification's own.
  return names.length === 0 || names.length === 1 && names[0].startsWith("number:")
    ? null
    : names.toReversed().join(" > ");
}

/** @returns terms that do something else at one place: only what the specification makes of them. */
function otherTerms(t: Terms, choose: Chooser): Terms {
  const at = (what: string, usual: Term, others: Others): Term => {
    const where = () => {
      const place = placeOf();
      return place && `${place} ${what}`;
    };
    const chosen = choose(where, Object.keys(others));
    return chosen === null ? usual : others[chosen]();
  };
  const without = (terms: readonly Term[], make: (...terms: Term[]) => Term): Others =>
    Object.fromEntries(terms.map((_, i) => [
      `without the ${i}th`,
      () => make(...terms.filter((_, other) => other !== i)),
    ]));
  const changed: Partial<Terms> = {
    constant: (value, width) =>
      at(`constant ${value}`, t.constant(value, width), {
        "+ 1": () => t.constant(BigInt(value) + 1n, width),
        "- 1": () => t.constant(BigInt(value) - 1n, width),
      }),
    and: (a, b) => at("and", t.and(a, b), { or: () => t.or(a, b), left: () => a, right: () => b }),
    or: (a, b) => at("or", t.or(a, b), { and: () => t.and(a, b), left: () => a, right: () => b }),
    all: (...terms) =>
      at("all", t.all(...terms), {
        any: () => t.any(...terms),
        ...without(terms, (...some) => t.all(...some)),
      }),
    any: (...terms) =>
      at("any", t.any(...terms), {
        all: () => t.all(...terms),
        ...without(terms, (...some) => t.any(...some)),
      }),
    not: (a) => at("not", t.not(a), { same: () => a }),
    eq: (a, b) => at("eq", t.eq(a, b), { not: () => t.not(t.eq(a, b)), ule: () => t.ule(a, b) }),
    ult: (a, b) => at("ult", t.ult(a, b), { ule: () => t.ule(a, b), turned: () => t.ult(b, a) }),
    ule: (a, b) => at("ule", t.ule(a, b), { ult: () => t.ult(a, b), turned: () => t.ule(b, a) }),
    implies: (a, b) => at("implies", t.implies(a, b), { turned: () => t.implies(b, a) }),
    ite: (a, b, c) =>
      at("ite", t.ite(a, b, c), { turned: () => t.ite(a, c, b), then: () => b, else: () => c }),
    add: (a, b) => at("add", t.add(a, b), { sub: () => t.sub(a, b) }),
    shl: (a, by) => at("shl", t.shl(a, by), { more: () => t.shl(a, by + 1) }),
    shr: (a, by) => at("shr", t.shr(a, by), { less: () => t.shr(a, by - 1) }),
    // What it is made of inside is nothing that the specification says.
    zext: (a, width) => t.zext(a, width),
    concat: (a, b) => at("concat", t.concat(a, b), { turned: () => t.concat(b, a) }),
  };
  return Object.assign(Object.create(t), changed);
}

type Program = readonly (Instruction | null)[];
const CUTS = programCuts();

function conditions(program: Program, from: string, choose: Chooser): Condition[] {
  const t = new Terms();
  return new Part(program, CUTS, from, t, new Specification(otherTerms(t, choose)))
    .conditions();
}

/** One thing that is done otherwise. */
export interface SpecificationMutant {
  /** `linkRules:96:17 > flag:43:30 eq => not`. */
  readonly name: string;
  /** @returns the conditions of the parts that it changes. */
  conditions(): Condition[];
}

export function specificationMutants(program: Program): SpecificationMutant[] {
  /** By the place, what may be done there instead, and in each part which calls are made there. */
  const places = new Map<
    string,
    { others: readonly string[]; calls: Map<string, Set<number>> }
  >();
  for (const from of partsOf(CUTS)) {
    let call = 0;
    conditions(program, from, (where, others) => {
      const place = where();
      const number = call++;
      if (place === null) return null;
      const known = places.get(place) ?? { others, calls: new Map() };
      places.set(place, known);
      known.calls.set(from, (known.calls.get(from) ?? new Set()).add(number));
      return null;
    });
  }
  return [...places].flatMap(([place, { others, calls }]) =>
    others.map((other) => ({
      name: `${place} => ${other}`,
      conditions: () =>
        [...calls].flatMap(([from, chosen]) => {
          let call = 0;
          return conditions(program, from, () => chosen.has(call++) ? other : null);
        }),
    }))
  );
}
