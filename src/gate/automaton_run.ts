/** One automaton on its way through the content. */
import { AT_END, type GateAutomaton, THIS_BYTE } from "./automaton.ts";

/** What is broken, and where in the content. */
export interface Found {
  /** Index of the rule. */
  readonly rule: number;
  /** Leftmost start, as an index in the content. */
  readonly start: number;
}

export class AutomatonRun {
  private scaled: number;
  /** Where the matches under way began, the oldest first. */
  private readonly registers: Float64Array;
  private count = 0;
  /** The transition that found a violation. */
  private entry = -1;

  constructor(private readonly automaton: GateAutomaton) {
    this.scaled = automaton.start;
    const { registerBegin } = automaton;
    let most = 0;
    for (let state = 0; state < automaton.stateCount; state++) {
      most = Math.max(most, registerBegin[state + 1] - registerBegin[state]);
    }
    this.registers = new Float64Array(most);
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
    const begin = registerBegin[this.scaled / classCount];
    for (let i = 0; i < this.count; i++) {
      if (soonest[begin + i] <= left) return this.registers[i];
    }
    return position;
  }

  /** While no match is under way: a load and a comparison a byte. */
  private idle(bytes: Uint8Array, at: number, end: number): number {
    const { classOf, next, idle } = this.automaton;
    let scaled = this.scaled;
    if (scaled >= idle) return at;
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
      if (to < idle) {
        this.count = 0;
        break;
      }
      const begin = opBegin[op[entry]];
      const count = opBegin[op[entry] + 1] - begin;
      // A source is never a lower register than the one it goes to: nothing is overwritten early.
      for (let i = 0; i < count; i++) {
        const source = opSources[begin + i];
        registers[i] = source === THIS_BYTE ? position + at - 1 : registers[source];
      }
      this.count = count;
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
