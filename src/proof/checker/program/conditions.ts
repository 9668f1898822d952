/**
 * The verification conditions: what has to hold so that the program passes exactly the frames that
 * the specification accepts, for every frame, configuration and table (R. Floyd, "Assigning
 * Meanings to Programs", 1967).
 *
 * The certificate cuts the program at some places, and says of each what is so there. From the first
 * slot, of which nothing is supposed, and from each place, with what is said of it, every way leads
 *
 * - to an exit, with the specification's verdict on the frame; or
 * - to a place, with what is said of that.
 *
 * By induction over a frame's way the verdict is right; and that there is one, since the loop ends,
 * the kernel's verifier has seen. The frame and the maps do not change on the way: where the payload
 * begins, its length and the verdict are the same at each place.
 */
import type { Instruction } from "./decode.ts";
import { Executor, type Outcome } from "./execute.ts";
import { type Cuts, HintReader, type Place, type Scope } from "./hints.ts";
import { Specification, type Walk } from "./specification.ts";
import { entryState, type State, type Value } from "./state.ts";
import { type Term, Terms } from "./term.ts";

/** Holds if no assignment makes all of `hypotheses` true and `claim` false. */
export interface Condition {
  readonly name: string;
  readonly hypotheses: readonly Term[];
  readonly claim: Term;
}

type Program = readonly (Instruction | null)[];

/** The ways that begin at the program's first slot. */
export const ENTRY = "entry";

/** @returns from where ways begin. */
export function partsOf({ places }: Cuts): string[] {
  return [ENTRY, ...Object.keys(places)];
}

/** Bits of the variables that a place is begun from with; what comes there has to fit. */
const BITS = { start: 16, length: 32, index: 16 } as const;
const FRAME_BITS = 32;

/** The ways from one of them. */
export class Part {
  private readonly hints: HintReader;
  private readonly walk: Walk;
  /** Of the frame, in bytes. */
  private readonly length: Term;
  /** Whether the specification accepts it. */
  private readonly accepts: Term;

  constructor(
    private readonly program: Program,
    private readonly cuts: Cuts,
    private readonly from: string,
    private readonly t = new Terms(),
    private readonly spec = new Specification(t),
  ) {
    this.hints = new HintReader(t, spec);
    const variable = (name: keyof typeof BITS) => t.zext(t.variable(name, BITS[name]), 64);
    const walk = { index: variable("index"), state: t.variable("state", 16) };
    if (from === ENTRY) {
      this.length = t.zext(t.variable("frame", FRAME_BITS), 64);
      this.accepts = spec.accepts(this.length);
      const start = spec.payloadStart();
      this.walk = { ...walk, start, length: t.sub(this.length, start) };
    } else {
      this.accepts = t.variable("accepts", 1);
      this.walk = { ...walk, start: variable("start"), length: variable("length") };
      this.length = t.add(this.walk.start, this.walk.length);
    }
  }

  /** What has to hold of the ways from here. */
  conditions(): Condition[] {
    const { t, accepts, from } = this;
    const { hypotheses, outcome } = this.ways();
    const claims: [string, Term][] = [
      ["pass", t.implies(outcome.pass, accepts)],
      ["drop", t.implies(outcome.drop, t.not(accepts))],
      ["safe", outcome.safe],
    ];
    for (const [name, { slot }] of Object.entries(this.cuts.places)) {
      const states = outcome.cuts.get(slot);
      if (states === undefined) continue;
      const each = states.map((state) => t.implies(state.guard, this.arrives(name, state)));
      claims.push([name, t.all(...each)]);
    }
    return claims.filter(([, claim]) => claim !== t.true)
      .map(([name, claim]) => ({ name: `${from}.${name}`, hypotheses, claim }));
  }

  /** What is so where the ways begin, and where they lead. */
  ways(): { hypotheses: readonly Term[]; outcome: Outcome } {
    const { t, spec, walk, length, from, cuts: { places } } = this;
    const slots = new Set(Object.values(places).map(({ slot }) => slot));
    const executor = new Executor(t, this.program, length, slots);
    if (from === ENTRY) return { hypotheses: [], outcome: executor.run(0, entryState(t)) };
    const place = places[from];
    const scope = this.scope(walk, []);
    const laws = place.laws.map((law) => this.hints.law(law, scope));
    const isFrame = t.ult(length, spec.number(2 ** FRAME_BITS));
    return {
      hypotheses: [isFrame, ...this.facts(place, scope), ...laws],
      outcome: executor.run(place.slot, this.stateAt(place, scope)),
    };
  }

  private scope(walk: Walk, registers: readonly (Value | undefined)[]): Scope {
    const named = new Map([["accepts", this.accepts]]);
    registers.forEach((value, i) => value && named.set(`r${i}`, value.term));
    return { walk, named };
  }

  private facts({ facts }: Place, scope: Scope): Term[] {
    return facts.map((fact) => this.hints.read(fact, 1, scope));
  }

  /** What the program has at a place; what is not said it does not read. */
  private stateAt(place: Place, scope: Scope): State {
    const { t, hints } = this;
    const registers = entryState(t).registers.map((atEntry, i): Value | undefined => {
      if (i === 10) return atEntry; // the stack's top stays
      if (place.registers[i] === undefined) return undefined;
      const [region, hint] = place.registers[i];
      const any = () => scope.named.get(`r${i}`) ?? t.variable(`any r${i}`, 64);
      return { region, term: hint === undefined ? any() : hints.read(hint, 64, scope) };
    });
    const stack = new Map(place.stack.flatMap(([offset, bytes, hint]) => {
      const term = hints.read(hint, 64, scope);
      return [...Array(bytes).keys()].map((i) => [offset + i, t.extract(term, 8 * i, 8)]);
    }));
    return { guard: t.true, registers, stack };
  }

  /** Whether a state that ways lead to is as it is said of the place. */
  private arrives(name: string, found: State): Term {
    const { t, spec, walk, hints, from, cuts: { places, ways } } = this;
    const way = (from === ENTRY ? ways : places[from].ways)[name];
    if (way === undefined) return t.false;
    const here = this.scope(walk, found.registers);
    const there = hints.place(way.index, way.state, here);
    const scope = { ...here, walk: there };
    const wanted = this.stateAt(places[name], scope);
    const fits = (["start", "length", "index"] as const).map((number) =>
      t.ult(there[number], spec.number(2 ** BITS[number]))
    );
    const registers = wanted.registers.map((value, i) => {
      const has = found.registers[i];
      if (value === undefined) return t.true;
      return has?.region === value.region ? t.eq(has.term, value.term) : t.false;
    });
    const stack = [...wanted.stack].map(([at, byte]) => {
      const has = found.stack.get(at);
      return has === undefined ? t.false : t.eq(has, byte);
    });
    return t.all(...fits, ...registers, ...stack, ...this.facts(places[name], scope));
  }
}

/**
 * @returns the conditions of the program.
 * @throws VeiError `proof-program`, `proof-certificate`.
 */
export function conditionsOf(program: Program, cuts: Cuts): Condition[] {
  return partsOf(cuts).flatMap((from) => new Part(program, cuts, from).conditions());
}
