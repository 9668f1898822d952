/**
 * What a certificate says of the places at which the program is cut: where they are, what is so
 * there, and what the walk has come to. Nothing rests on its being true: from each place is begun
 * with what is said of it, and whatever leads there has to be shown to bring just that.
 */
import { refuse } from "../refusal.ts";
import type { Specification, Walk } from "./specification.ts";
import type { Region } from "./state.ts";
import type { Term, Terms } from "./term.ts";

/** A term: a number of 64 bits, a name, or a function's name with terms. */
export type Hint = number | string | readonly Hint[];

export interface Cuts {
  readonly places: Readonly<Record<string, Place>>;
  /** From the program's first slot. */
  readonly ways: Ways;
}

export interface Place {
  readonly slot: number;
  /** By register, the region and what it holds; without that, anything. Others are not read. */
  readonly registers: Readonly<Record<string, readonly [Region, Hint?]>>;
  /** What the stack holds: at an offset from its top, so many bytes of a number. */
  readonly stack: readonly (readonly [offset: number, bytes: number, value: Hint])[];
  /** What is so, of one bit each. */
  readonly facts: readonly Hint[];
  /** What is used of what is known of the walk and the maps, and where in the walk. */
  readonly laws: readonly (readonly [law: Law, index: Hint, state: Hint])[];
  readonly ways: Ways;
}

/** By the place that they lead to, what the walk has come to there. */
export type Ways = Readonly<Record<string, { readonly index: Hint; readonly state: Hint }>>;

/** The specification's methods of these names. */
export const LAWS = ["restLaw", "rowLaw", "decidedLaw", "calmLaw", "walkLaw"] as const;
export type Law = typeof LAWS[number];

/** What a hint speaks of: the walk, and what else has a name where it is read. */
export interface Scope {
  readonly walk: Walk;
  /** What the registers hold, by `r0` and so on; `accepts` is the specification's verdict. */
  readonly named: ReadonlyMap<string, Term>;
}

type Make = (walk: Walk, a: Term, b: Term, c: Term) => Term;

export class HintReader {
  private readonly functions: ReadonlyMap<string, Make>;

  constructor(t: Terms, private readonly spec: Specification) {
    this.functions = new Map<string, Make>([
      ["start", ({ start }) => start],
      ["length", ({ length }) => length],
      ["index", ({ index }) => index],
      ["state", ({ state }) => state],
      ["rest", (walk) => spec.rest(walk)],
      ["stopped", (walk) => spec.stopped(walk)],
      ["payloadPasses", ({ start, length }) => spec.payloadPasses(start, length)],
      ["first", () => spec.first],
      ["walkBytes", () => spec.walkBytes],
      ["decidedBelow", () => spec.decidedBelow],
      ["flags", () => spec.flagByte()],
      ["next", (walk, index, state) => spec.next({ ...walk, index, state })],
      ["decided", (_, state) => spec.decided(state)],
      ["row", (_, state) => spec.isRow(state)],
      ["restless", (_, state) => spec.restless(state)],
      ["add", (_, a, b) => t.add(a, b)],
      ["sub", (_, a, b) => t.sub(a, b)],
      ["and", (_, a, b) => t.and(a, b)],
      ["or", (_, a, b) => t.or(a, b)],
      ["not", (_, a) => t.not(a)],
      ["eq", (_, a, b) => t.eq(a, b)],
      ["ule", (_, a, b) => t.ule(a, b)],
      ["ite", (_, a, b, c) => t.ite(a, b, c)],
      ["wide", (_, a) => t.zext(a, 64)],
      ["narrow", (_, a) => t.extract(a, 0, 16)],
      ["sign", (_, a) => t.extract(a, 63, 1)],
    ]);
  }

  /** @throws VeiError `proof-certificate` for what is no term of so many bits. */
  read(hint: Hint, width: number, scope: Scope): Term {
    try {
      const term = this.term(hint, scope);
      if (term?.width === width) return term;
    } catch (cause) {
      if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
    }
    throw refuse("certificate", `what it says of a place is no term of ${width} bits`);
  }

  private term(hint: Hint, scope: Scope): Term | undefined {
    if (typeof hint === "number") return this.spec.number(hint);
    const [name, ...args] = typeof hint === "string" ? [hint] : hint;
    const [a, b, c] = args.map((arg) => this.term(arg, scope)!);
    return this.functions.get(`${name}`)?.(scope.walk, a, b, c) ?? scope.named.get(`${name}`);
  }

  /** @returns a law as a fact of one bit. @throws VeiError `proof-certificate`. */
  law([law, index, state]: Place["laws"][number], scope: Scope): Term {
    if (LAWS.includes(law)) return this.spec[law](this.place(index, state, scope));
    throw refuse("certificate", `there is no law ${law}`);
  }

  /** @returns another place in the walk over the same payload. @throws as read. */
  place(index: Hint, state: Hint, scope: Scope): Walk {
    const [at, after] = [this.read(index, 64, scope), this.read(state, 16, scope)];
    return { ...scope.walk, index: at, state: after };
  }
}
