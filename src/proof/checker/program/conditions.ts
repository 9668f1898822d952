/**
 * The verification conditions: what has to hold so that the program passes exactly the frames that
 * the specification accepts, for every frame, configuration and table.
 *
 * The program is cut at six places, of which each is reached with its invariant:
 *
 *     payload  the frame keeps the link rules, and its payload begins at `start`
 *     head     of the loop: `index` bytes of the payload have been walked, and the table's state
 *              after them is not decided
 *     middle   of a round, as at the head, and four bytes of the next eight have been walked too
 *     tail     as at the head, and the walk stops within the next eight bytes
 *     decided  the walk has come to a decided state
 *     end      the walk has stopped, in a state that does not refuse
 *
 * From the first slot and from each cut, every way leads to an exit with the specification's verdict
 * or to a cut with its invariant. By induction over the way of a frame, the verdict is right; and as
 * each round of the one loop walks eight bytes, of at most 1,536, there is one.
 */
import type { Instruction } from "./decode.ts";
import { Executor, type Outcome } from "./execute.ts";
import { STACK, TABLE, WALK_LIMIT } from "./layout.ts";
import { Specification } from "./specification.ts";
import { entryState, type State, type Value } from "./state.ts";
import { type Term, Terms } from "./term.ts";

/** Holds if no assignment makes all of `hypotheses` true and `claim` false. */
export interface Condition {
  readonly name: string;
  readonly hypotheses: readonly Term[];
  readonly claim: Term;
}

/** Slots of the program: a hint, on which nothing rests. */
export interface Cuts {
  readonly payload: number;
  readonly head: number;
  readonly middle: number;
  readonly tail: number;
  readonly decided: number;
  readonly end: number;
}

export const CUTS = ["payload", "head", "middle", "tail", "decided", "end"] as const;
/** Where ways begin: at the program's first slot, and at each cut. */
export const PARTS = ["link", ...CUTS] as const;

/** Bytes that a round takes, and of which it asks at once whether they are calm. */
const ROUND = 8, UNIT = 4;
/** Begins the names of numbers of which no more is known. */
const ANY = "any in r";
const LEAST_HEADERS = 54, MOST_HEADERS = 94;

/** What is so at a cut; of 64 bits each but `state`, which has 16. */
interface Walk {
  /** Bytes before the payload. */
  readonly start: Term;
  /** Bytes of the payload. */
  readonly length: Term;
  /** Bytes of the payload that have been walked. */
  readonly index: Term;
  readonly state: Term;
}

/** What is claimed of the ways from one cut: when they pass, drop, or reach a cut, and with what. */
interface Claims {
  readonly pass: Term;
  readonly drop: Term;
  readonly cuts: Partial<Record<keyof Cuts, { when: Term; walk: Walk }>>;
}

/**
 * @returns the conditions of the program.
 * @throws VeiError `proof-program`.
 */
export function conditionsOf(program: readonly (Instruction | null)[], cuts: Cuts): Condition[] {
  return PARTS.flatMap((from) => new Part(program, cuts, from).conditions());
}

/** The ways from one of them. */
export class Part {
  /** What is so where the ways begin. */
  private readonly walk: Walk;

  constructor(
    private readonly program: readonly (Instruction | null)[],
    private readonly cuts: Cuts,
    private readonly from: typeof PARTS[number],
    private readonly t = new Terms(),
    private readonly spec = new Specification(t),
  ) {
    this.walk = {
      start: this.wide("start", 16),
      length: this.wide("payload", 32),
      index: this.wide("index", 16),
      state: t.variable("state", 16),
    };
  }

  conditions(): Condition[] {
    const { hypotheses, outcome, frame } = this.ways();
    return this.claimed(hypotheses, outcome, this[this.from](frame));
  }

  /** What is so where the ways begin, and where they lead a frame of so many bytes. */
  ways(): { hypotheses: readonly Term[]; outcome: Outcome; frame: Term } {
    const { t, spec, walk, from, cuts } = this;
    const atCut = from !== "link";
    const frame = atCut ? t.add(walk.start, walk.length) : this.wide("frame", 32);
    const begin = atCut ? this.stateAt(from, walk) : entryState(t);
    const ways = new Executor(t, this.program, frame, new Set(Object.values(cuts)));
    const outcome = ways.run(atCut ? cuts[from] : 0, begin);
    const hypotheses = atCut
      ? [t.ult(frame, spec.number(2 ** 32)), spec.configHolds(), this.invariant(from, walk)]
      : [];
    if (from === "head") hypotheses.push(...this.tableHolds(0));
    if (from === "middle") hypotheses.push(...this.tableHolds(UNIT));
    return { hypotheses, outcome, frame };
  }

  /** No frame passes before its payload is looked at; none is dropped that keeps the rules. */
  protected link(frame: Term): Claims {
    const { t, spec } = this;
    const rules = spec.linkRules(frame);
    const start = spec.payloadStart();
    const length = t.sub(frame, start);
    const walk = { ...this.walk, start, length };
    return { pass: t.false, drop: t.not(rules), cuts: { payload: { when: rules, walk } } };
  }

  /** An empty payload, one that may not be there, and one that is decided before its first byte. */
  protected payload(): Claims {
    const { t, spec, walk } = this;
    const state = t.extract(spec.start, 0, 16);
    const empty = t.eq(walk.length, spec.number(0));
    const walks = t.and(t.not(empty), spec.mayCarry());
    const decided = spec.decided(state);
    const first = { ...walk, index: spec.number(0), state };
    return {
      pass: t.and(empty, spec.emptyPasses()),
      drop: t.ite(empty, t.not(spec.emptyPasses()), t.not(spec.mayCarry())),
      cuts: {
        head: { when: t.and(walks, t.not(decided)), walk: first },
        decided: { when: t.and(walks, decided), walk: first },
      },
    };
  }

  /** Four bytes on, or to the tail. */
  protected head(): Claims {
    const { t, walk } = this;
    const when = t.true;
    return { pass: t.false, drop: t.false, cuts: { middle: { when, walk }, tail: { when, walk } } };
  }

  /** Eight bytes on, none of which decides, or to the tail. */
  protected middle(): Claims {
    const { t, walk } = this;
    const states = this.states(walk);
    const undecided = states.slice(0, -1).map((state) => t.not(this.spec.decided(state)));
    const later = { ...walk, index: this.after(walk, ROUND), state: states[ROUND] };
    return {
      pass: t.false,
      drop: t.false,
      cuts: { head: { when: t.all(...undecided), walk: later }, tail: { when: t.true, walk } },
    };
  }

  /** The specification's own walk, to where it stops. */
  protected tail(): Claims {
    const { t, spec, walk } = this;
    const states = this.states(walk);
    let [last, more] = [states[ROUND], t.false];
    for (let bytes = ROUND - 1; bytes >= 0; bytes--) {
      const stop = this.stops(walk, states[bytes], bytes);
      last = t.ite(stop, states[bytes], last);
      more = t.ite(stop, t.not(t.eq(this.after(walk, bytes), walk.length)), more);
    }
    const decided = spec.decided(last);
    const refused = t.and(t.not(decided), spec.isTooMuch(more));
    const stopped = { ...walk, state: last };
    return {
      pass: t.false,
      drop: refused,
      cuts: {
        decided: { when: decided, walk: stopped },
        end: { when: t.not(t.or(decided, refused)), walk: stopped },
      },
    };
  }

  /** From one of the two decided states nothing is accepted, from the other everything. */
  protected decided(): Claims {
    const { t, spec, walk } = this;
    const dead = spec.isDead(walk.state);
    return { pass: t.false, drop: dead, cuts: { end: { when: t.not(dead), walk } } };
  }

  /** What does not refuse has to accept, and the payload's size with it. */
  protected end(): Claims {
    const { t, spec, walk } = this;
    const accepted = spec.accepted(walk.state, walk.length);
    return { pass: accepted, drop: t.not(accepted), cuts: {} };
  }

  private wide(name: string, bits: number): Term {
    return this.t.zext(this.t.variable(name, bits), 64);
  }

  /** How many bytes of the payload have been walked, so many bytes on. */
  private after({ index }: Walk, bytes: number): Term {
    return this.t.add(index, this.spec.number(bytes));
  }

  /** Whether the one is at least the other, of two numbers far below 2^63. */
  private reaches(one: Term, other: Term): Term {
    return this.t.not(this.t.extract(this.t.sub(one, other), 63, 1));
  }

  /** Whether the walk is over after so many bytes more, in this state. */
  private stops(walk: Walk, state: Term, bytes: number): Term {
    const { t, spec } = this;
    return t.or(spec.decided(state), spec.atEnd(this.after(walk, bytes), walk.length));
  }

  /** The payload's next eight bytes. */
  private bytes(walk: Walk): Term[] {
    const { t, spec } = this;
    const at = (i: number) => t.add(walk.start, this.after(walk, i));
    return [...Array(ROUND).keys()].map((i) => spec.frameByte(at(i)));
  }

  /** The table's states before the first and after each of the next eight bytes. */
  private states(walk: Walk): Term[] {
    const states = [walk.state];
    for (const byte of this.bytes(walk)) states.push(this.spec.next(states.at(-1)!, byte));
    return states;
  }

  /** What is known of the table, said of the states of this round and of four of its bytes. */
  private tableHolds(from: number): Term[] {
    const states = this.states(this.walk);
    return this.bytes(this.walk).flatMap((byte, i) => [
      this.spec.staysIfDecided(states[i], byte),
      ...i < from || i >= from + UNIT ? [] : [this.spec.staysIfCalm(states[from], byte)],
    ]);
  }

  private invariant(cut: keyof Cuts, walk: Walk): Term {
    const { t, spec } = this;
    const { start, length, index, state } = walk;
    const frame = t.all(
      t.ule(spec.number(LEAST_HEADERS), start),
      t.ule(start, spec.number(MOST_HEADERS)),
      t.ult(length, spec.number(2 ** 32)),
    );
    if (cut === "payload") return frame;
    if (cut === "decided") return t.and(frame, spec.decided(state));
    if (cut === "end") return t.and(frame, t.not(t.and(spec.decided(state), spec.isDead(state))));
    const next = cut === "middle" ? this.after(walk, ROUND) : index;
    const walking = t.all(
      frame,
      t.ule(index, spec.number(WALK_LIMIT)),
      this.reaches(length, next),
      this.reaches(spec.walkBytes, next),
      t.not(spec.decided(state)),
    );
    if (cut !== "tail") return walking;
    const stops = this.states(walk).map((state, bytes) =>
      bytes < ROUND ? this.stops(walk, state, bytes) : spec.decided(state)
    );
    return t.and(walking, t.any(...stops));
  }

  /** What the program has where at a cut; what is not here it does not read. */
  private stateAt(cut: keyof Cuts, walk: Walk): State {
    const { t, spec } = this;
    const { start, length, index, state } = walk;
    const number = (term: Term): Value => ({ region: "number", term });
    const frame = (term: Term): Value => ({ region: "frame", term });
    const stack = new Map<number, Term>();
    const put = (at: number, bytes: number, term: Term) => {
      for (let i = 0; i < bytes; i++) stack.set(at + i, t.extract(term, 8 * i, 8));
    };
    const known: Record<number, Value | undefined> = {
      6: frame(spec.number(0)),
      8: frame(t.add(start, length)),
      10: entryState(t).registers[10]!,
    };
    if (cut === "payload") {
      known[1] = number(spec.flagByte());
      known[2] = frame(start);
      known[4] = number(t.variable(`${ANY}4`, 64));
      known[7] = { region: "config", term: spec.number(0) };
    } else put(STACK.payloadLength, 4, length);
    const decided = spec.decided(state);
    if (cut === "decided") {
      known[0] = number(t.zext(state, 64));
      known[2] = frame(t.variable(`${ANY}2`, 64)); // the byte that decided: it is reported
    }
    if (cut === "end") known[0] = number(t.ite(decided, t.constant(-1, 64), t.zext(state, 64)));
    if (cut === "head" || cut === "middle" || cut === "tail") {
      const now = cut === "middle" ? this.states(walk)[UNIT] : state;
      put(STACK.decidedBelow, 8, t.shl(spec.decidedBelow, 1));
      known[0] = number(t.zext(now, 64));
      known[2] = frame(t.add(start, index));
      known[4] = number(t.sub(spec.walkBytes, index));
      known[5] = number(t.zext(spec.restless(now), 64));
      known[7] = { region: "table", term: spec.number(TABLE.rows) };
      known[9] = { region: "table", term: spec.number(TABLE.classes) };
    }
    if (cut === "middle") put(STACK.beforeGroup, 8, t.shl(t.zext(state, 64), 1));
    if (cut === "tail") known[4] = known[5] = undefined;
    return { guard: t.true, registers: entryState(t).registers.map((_, i) => known[i]), stack };
  }

  /** Whether the program has at a cut what it begins with there. */
  private matches(found: State, wanted: State): Term {
    const { t } = this;
    const registers = wanted.registers.map((value, i) => {
      if (value === undefined) return t.true;
      if (value.term.name.startsWith(ANY)) {
        return found.registers[i]?.region === value.region ? t.true : t.false;
      }
      const { region, term } = found.registers[i] ?? { region: null, term: value.term };
      return region === value.region ? t.eq(term, value.term) : t.false;
    });
    const stack = [...wanted.stack].map(([at, byte]) => {
      const there = found.stack.get(at);
      return there === undefined ? t.false : t.eq(there, byte);
    });
    return t.all(...registers, ...stack);
  }

  private claimed(hypotheses: readonly Term[], outcome: Outcome, claims: Claims): Condition[] {
    const { t } = this;
    const named: [string, Term][] = [
      ["pass", t.implies(outcome.pass, claims.pass)],
      ["drop", t.implies(outcome.drop, claims.drop)],
      ["safe", outcome.safe],
    ];
    for (const cut of CUTS) {
      const found = outcome.cuts.get(this.cuts[cut]);
      if (found === undefined) continue;
      const claim = claims.cuts[cut];
      const holds = claim === undefined
        ? t.false
        : t.and(claim.when, this.invariant(cut, claim.walk));
      const wanted = claim === undefined ? null : this.stateAt(cut, claim.walk);
      const each = found.map((state) =>
        t.implies(state.guard, wanted === null ? holds : t.and(holds, this.matches(state, wanted)))
      );
      named.push([cut, t.all(...each)]);
    }
    return named.map(([name, claim]) => ({ name: `${this.from}.${name}`, hypotheses, claim }));
  }
}
