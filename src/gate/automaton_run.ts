/** One automaton on its way through the content. */
import { AT_END, type GateAutomaton, THIS_BYTE } from "./automaton.ts";

/** What is broken, and where in the content. */
export interface Found {
  /** Index of the rule. */
  readonly rule: number;
  /** Leftmost start, as an index in the content. */
  readonly start: number;
}

/** @returns what is broken where both are: the first rule, from the leftmost start. */
export function earlier(a: Found | null, b: Found): Found {
  if (a === null) return b;
  return { rule: Math.min(a.rule, b.rule), start: Math.min(a.start, b.start) };
}

/** What all runs of an automaton share. */
interface Shared {
  /** The most registers that a state has. */
  readonly registers: number;
  /** The scaled state without registers in which most of plain text stays, or -1. */
  readonly rest: number;
  /** Of each byte 1 if it stays there. */
  readonly stays: Uint8Array;
}

const known = new WeakMap<GateAutomaton, Shared>();

function sharedOf(automaton: GateAutomaton): Shared {
  let shared = known.get(automaton);
  if (shared === undefined) known.set(automaton, shared = makeShared(automaton));
  return shared;
}

/**
 * Where more of the 95 printable characters of ASCII leave a state, a text does not stay there for
 * long: at each word's end, say.
 */
const MOST_THAT_LEAVE = 16;

function makeShared(
  { registerBegin, stateCount, classCount, classOf, idle, next }: GateAutomaton,
): Shared {
  let registers = 0;
  for (let state = 0; state < stateCount; state++) {
    registers = Math.max(registers, registerBegin[state + 1] - registerBegin[state]);
  }
  const staysIn = (scaled: number) => classOf.map((one) => next[scaled + one] === scaled ? 1 : 0);
  let [rest, most] = [-1, MOST_THAT_LEAVE];
  for (let scaled = 0; scaled < idle; scaled += classCount) {
    const leave = staysIn(scaled).subarray(0x20, 0x7f).filter((one) => one === 0).length;
    if (leave < most) [rest, most] = [scaled, leave];
  }
  return { registers, rest, stays: staysIn(Math.max(0, rest)) };
}

export class AutomatonRun {
  private scaled: number;
  private readonly shared: Shared;
  /** Where the matches under way began, the oldest first. */
  private readonly registers: Float64Array;
  /** The transition that found a violation. */
  private entry = -1;

  constructor(private readonly automaton: GateAutomaton) {
    this.scaled = automaton.start;
    this.shared = sharedOf(automaton);
    this.registers = new Float64Array(this.shared.registers);
  }

  /** The scaled state. It may be set to one without a register, or with those that there are. */
  get state(): number {
    return this.scaled;
  }
  set state(scaled: number) {
    this.scaled = scaled;
  }

  /**
   * Reads `bytes` up to `end`; the first of them is at `position` in the content.
   * @returns the index in `bytes` of the first that breaks a rule, or -1.
   */
  read(bytes: Uint8Array, end: number, position: number): number {
    const { within } = this.automaton;
    const last = position + end > within ? Math.max(0, within - position) : end;
    let at = 0;
    while (at < last) {
      at = this.idle(bytes, at, last);
      if (at < last) at = this.busy(bytes, at, last, position);
      if (at < 0) return ~at;
    }
    return -1;
  }

  /** What the byte broke at which `read` stopped; `offset` is its index in the content. */
  found(offset: number): Found {
    const { next, stateCount, classCount } = this.automaton;
    return this.broken(next[this.entry] - stateCount * classCount, offset);
  }

  /** @returns what the content's end breaks, or null. */
  end(length: number): Found | null {
    const { end, classCount, within } = this.automaton;
    if (length >= within) return null;
    const broken = end[this.scaled / classCount];
    return broken < 0 ? null : this.broken(broken, length);
  }

  /**
   * @param remaining so many bytes at most, the end being one, may follow and still decide.
   * @returns where the earliest match began that may yet become one, or `position`, where the
   * content ends now.
   */
  earliest(position: number, remaining: number): number {
    const { registerBegin, classCount, soonest, within } = this.automaton;
    const left = Math.min(remaining, within - position);
    const state = this.scaled / classCount;
    const begin = registerBegin[state];
    const count = registerBegin[state + 1] - begin;
    for (let i = 0; i < count; i++) {
      if (soonest[begin + i] <= left) return this.registers[i];
    }
    return position;
  }

  /** While no match is under way: a load and a comparison a byte. */
  private idle(bytes: Uint8Array, at: number, end: number): number {
    const { classOf, next, idle } = this.automaton;
    let scaled = this.scaled;
    if (scaled >= idle) return at;
    if (scaled === this.shared.rest) at = stay(this.shared.stays, bytes, at, end);
    for (; at < end; at++) {
      const to = next[scaled + classOf[bytes[at]]];
      if (to >= idle) break;
      scaled = to;
    }
    this.scaled = scaled;
    return at;
  }

  /** @returns the next byte's index when no match is under way, or the complement at a violation. */
  private busy(bytes: Uint8Array, at: number, end: number, position: number): number {
    const { classOf, next, idle, op, opBegin, opSources, stateCount, classCount } = this.automaton;
    const broken = stateCount * classCount;
    const { registers } = this;
    let scaled = this.scaled;
    while (at < end) {
      const entry = scaled + classOf[bytes[at]];
      const to = next[entry];
      if (to >= broken) {
        this.entry = entry;
        return ~at;
      }
      scaled = to;
      at++;
      if (to < idle) break;
      const begin = opBegin[op[entry]];
      const count = opBegin[op[entry] + 1] - begin;
      // A source is never a lower register than the one it goes to: nothing is overwritten early.
      for (let i = 0; i < count; i++) {
        const source = opSources[begin + i];
        registers[i] = source === THIS_BYTE ? position + at - 1 : registers[source];
      }
    }
    this.scaled = scaled;
    return at;
  }

  private broken(broken: number, offset: number): Found {
    const { brokenRule, brokenStart } = this.automaton;
    const start = brokenStart[broken];
    const here = start === THIS_BYTE || start === AT_END;
    return { rule: brokenRule[broken], start: here ? offset : this.registers[start] };
  }
}

/**
 * No byte waits for what the one before led to, eight at a time.
 * @returns the index of the first byte that does not stay, or `end`.
 */
function stay(stays: Uint8Array, bytes: Uint8Array, at: number, end: number): number {
  for (const last = end - 7; at < last; at += 8) {
    const all = stays[bytes[at]] & stays[bytes[at + 1]] & stays[bytes[at + 2]] &
      stays[bytes[at + 3]] & stays[bytes[at + 4]] & stays[bytes[at + 5]] &
      stays[bytes[at + 6]] & stays[bytes[at + 7]];
    if (all === 0) break;
  }
  while (at < end && stays[bytes[at]] === 1) at++;
  return at;
}
