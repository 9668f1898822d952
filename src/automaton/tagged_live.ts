/**
 * Which of the matches under way may still be where the first violation starts, and how soon: what
 * is not among them need not be held back. And which states are lost already, whatever follows.
 */
import { type Broken, END, NEW, NONE, type Tagged, TaggedBuilder } from "./tagged.ts";

/** Cannot come to a violation that starts there. */
export const NEVER = 0x7fffffff;

export interface Liveness {
  /** The first register of each state, as an index of `soonest`. */
  readonly base: Uint32Array;
  /**
   * Of each register the least number of bytes to a violation that starts there, the end being one
   * byte more; NEVER where none can come.
   */
  readonly soonest: Int32Array;
}

/** @returns for each register of each state when it may first matter. */
export function livenessOf(tagged: Tagged): Liveness {
  const { classCount: k, stateCount: n, next, op, ops, end, broken, registers } = tagged;
  const base = new Uint32Array(n + 1);
  for (let state = 0; state < n; state++) base[state + 1] = base[state] + registers[state];
  const soonest = new Int32Array(base[n]).fill(NEVER);
  if (base[n] === 0) return { base, soonest };

  const { begin, sources } = invert(tagged);
  let level: number[] = []; // pairs of a state and a register
  const reach = (into: number[], state: number, register: number, bytes: number) => {
    if (register >= registers[state] || soonest[base[state] + register] <= bytes) return;
    soonest[base[state] + register] = bytes;
    into.push(state, register);
  };
  const back = (from: readonly number[], bytes: number): number[] => {
    const into: number[] = [];
    for (let i = 0; i < from.length; i += 2) {
      const [target, register] = [from[i], from[i + 1]];
      for (let at = begin[target]; at < begin[target + 1]; at++) {
        const entry = sources[at];
        reach(into, Math.floor(entry / k), ops[op[entry]][register], bytes);
      }
    }
    return into;
  };
  for (let state = 0; state < n; state++) {
    if (end[state] !== NONE) reach(level, state, broken[end[state]].start, 1);
  }
  for (let entry = 0; entry < next.length; entry++) {
    if (next[entry] >= 0) continue;
    reach(level, Math.floor(entry / k), broken[~next[entry]].start, 1);
  }
  for (let bytes = 2; level.length > 0; bytes++) level = back(level, bytes);
  return { base, soonest };
}

/**
 * @returns the automaton in which a violation is said at the byte after which there is one whatever
 * follows, and without the registers that cannot matter.
 */
export function decidedEarly(tagged: Tagged): Tagged {
  const lost = lostStates(tagged);
  const early = lost.some((broken) => broken !== null) ? withViolations(tagged, lost) : tagged;
  return withoutDead(early);
}

/** @returns the longest that anything is held back, in bytes; Infinity if there is no bound. */
export function holdBound(tagged: Tagged): number {
  const { classCount: k, stateCount: n, registers, next, op, ops } = tagged;
  const base = new Uint32Array(n + 1);
  for (let state = 0; state < n; state++) base[state + 1] = base[state] + registers[state];
  const owner = new Uint32Array(base[n]);
  for (let state = 0; state < n; state++) owner.fill(state, base[state], base[state + 1]);
  // The longest way among registers, by their number of ways in (A. Kahn's topological order).
  const each = (from: number, visit: (to: number) => void) => {
    const state = owner[from];
    const register = from - base[state];
    for (let entry = state * k; entry < (state + 1) * k; entry++) {
      const target = next[entry];
      if (target < 0) continue;
      const to = ops[op[entry]].indexOf(register);
      if (to >= 0) visit(base[target] + to);
    }
  };
  const waysIn = new Uint32Array(base[n]);
  for (let one = 0; one < base[n]; one++) each(one, (to) => waysIn[to]++);
  const age = new Float64Array(base[n]).fill(1);
  const ready: number[] = [];
  for (let one = 0; one < base[n]; one++) if (waysIn[one] === 0) ready.push(one);
  let longest = 0;
  let done = 0;
  for (; done < ready.length; done++) {
    const one = ready[done];
    longest = Math.max(longest, age[one]);
    each(one, (to) => {
      age[to] = Math.max(age[to], age[one] + 1);
      if (--waysIn[to] === 0) ready.push(to);
    });
  }
  return done < base[n] ? Infinity : longest;
}

/** @returns for each state that is lost whatever follows what is then broken, else null. */
export function lostStates(tagged: Tagged): (Broken | null)[] {
  const { classCount: k, stateCount: n, next, end, broken } = tagged;
  const lost: (Broken | null)[] = new Array(n).fill(null);
  if (end.every((one) => one === NONE)) return lost;
  // A state is not lost that leads to one at which the text may end.
  const { begin, sources } = invert(tagged);
  const backTo = (from: number[], visit: (state: number) => boolean) => {
    for (const target of from) { // which grows meanwhile
      for (let at = begin[target]; at < begin[target + 1]; at++) {
        const state = Math.floor(sources[at] / k);
        if (visit(state)) from.push(state);
      }
    }
  };
  const hopes = Uint8Array.from(end, (one) => one === NONE ? 1 : 0);
  const hopeful = [...hopes.keys()].filter((state) => hopes[state] === 1);
  backTo(hopeful, (state) => hopes[state] === 0 && (hopes[state] = 1) === 1);
  if (hopeful.length === n) return lost;
  // Of each the least rule that may be broken, the least first.
  const own: number[][] = [];
  hopes.forEach((hope, state) => {
    if (hope === 1) return;
    let rule = broken[end[state]].rule;
    for (const target of next.subarray(state * k, (state + 1) * k)) {
      if (target < 0) rule = Math.min(rule, broken[~target].rule);
    }
    (own[rule] ??= []).push(state);
  });
  const { base, soonest } = livenessOf(tagged);
  own.forEach((states, rule) => {
    const name = (state: number) => {
      if (hopes[state] === 1 || lost[state] !== null) return false;
      const oldest = soonest.subarray(base[state], base[state + 1])
        .findIndex((bytes) => bytes !== NEVER);
      lost[state] = { rule, start: oldest < 0 ? END : oldest };
      return true;
    };
    backTo(states.filter(name), name);
  });
  return lost;
}

/** Makes every way into a lost state a violation. */
function withViolations(tagged: Tagged, lost: readonly (Broken | null)[]): Tagged {
  const { classCount: k, stateCount: n, next, op, ops, end, broken, registers } = tagged;
  const builder = new TaggedBuilder(k);
  const numbers = builder.opNumbersOf(tagged);
  for (let state = 0; state < n; state++) {
    builder.state(registers[state], end[state] === NONE ? null : broken[end[state]]);
    for (let entry = state * k; entry < (state + 1) * k; entry++) {
      const target = next[entry];
      if (target < 0) builder.violation(broken[~target]);
      else if (lost[target] === null) builder.stepBy(target, numbers[op[entry]]);
      else {
        const { rule, start } = lost[target]!;
        builder.violation({ rule, start: start === END ? NEW : ops[op[entry]][start] });
      }
    }
  }
  return reachable(builder.build(tagged.start));
}

function withoutDead(tagged: Tagged): Tagged {
  const { classCount: k, stateCount: n, next, op, ops, end, broken, registers } = tagged;
  const { base, soonest } = livenessOf(tagged);
  if (!soonest.includes(NEVER)) return tagged;
  const kept = Array.from({ length: n }, (_, state) => {
    const all = Array.from({ length: registers[state] }, (_, i) => i);
    return all.filter((register) => soonest[base[state] + register] !== NEVER);
  });
  const mapped = ({ rule, start }: Broken, state: number): Broken => ({
    rule,
    start: start >= NEW ? start : kept[state].indexOf(start),
  });
  const builder = new TaggedBuilder(k);
  // An operation becomes another one by which registers are kept, before and behind.
  const patterns = new Map<string, number>();
  const pattern = kept.map((registers) => {
    const key = registers.join();
    if (!patterns.has(key)) patterns.set(key, patterns.size);
    return patterns.get(key)!;
  });
  const opNumbers = new Map<number, number>();
  const opOf = (was: number, state: number, target: number) => {
    const key = (was * patterns.size + pattern[state]) * patterns.size + pattern[target];
    let number = opNumbers.get(key);
    if (number === undefined) {
      const sources = ops[was];
      // What is alive behind was alive before.
      number = builder.opNumber(
        kept[target].map((i) => sources[i] === NEW ? NEW : kept[state].indexOf(sources[i])),
      );
      opNumbers.set(key, number);
    }
    return number;
  };
  for (let state = 0; state < n; state++) {
    builder.state(
      kept[state].length,
      end[state] === NONE ? null : mapped(broken[end[state]], state),
    );
    for (let entry = state * k; entry < (state + 1) * k; entry++) {
      const target = next[entry];
      if (target < 0) {
        builder.violation(mapped(broken[~target], state));
        continue;
      }
      builder.stepBy(target, opOf(op[entry], state, target));
    }
  }
  return builder.build(tagged.start);
}

/** @returns the automaton without the states that cannot be reached. */
export function reachable(tagged: Tagged): Tagged {
  const { classCount: k, next, op, end, broken, registers } = tagged;
  const numbers = new Map([[tagged.start, 0]]);
  const states = [tagged.start];
  const builder = new TaggedBuilder(k);
  const opNumbers = builder.opNumbersOf(tagged);
  for (let at = 0; at < states.length; at++) {
    const state = states[at];
    builder.state(registers[state], end[state] === NONE ? null : broken[end[state]]);
    for (let entry = state * k; entry < (state + 1) * k; entry++) {
      const target = next[entry];
      if (target < 0) {
        builder.violation(broken[~target]);
        continue;
      }
      if (!numbers.has(target)) numbers.set(target, states.push(target) - 1);
      builder.stepBy(numbers.get(target)!, opNumbers[op[entry]]);
    }
  }
  return builder.build();
}

/** @returns the transitions backwards: those into a state are `sources[begin[state]]` and on. */
function invert({ stateCount: n, next }: Tagged): { begin: Uint32Array; sources: Uint32Array } {
  const begin = new Uint32Array(n + 1);
  for (const target of next) if (target >= 0) begin[target + 1]++;
  for (let state = 0; state < n; state++) begin[state + 1] += begin[state];
  const fill = begin.slice();
  const sources = new Uint32Array(begin[n]);
  next.forEach((target, entry) => {
    if (target >= 0) sources[fill[target]++] = entry;
  });
  return { begin, sources };
}
