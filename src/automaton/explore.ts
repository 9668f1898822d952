/** Automata as they are built: complete, over numbered symbols. */

/** A complete automaton over `classCount` symbols. */
export interface Raw {
  readonly classCount: number;
  readonly stateCount: number;
  readonly start: number;
  readonly accepting: Uint8Array<ArrayBuffer>;
  /** `next[state * classCount + class]`. */
  readonly next: Uint32Array<ArrayBuffer>;
}

/** An automaton by its rules; its states are any safe integers. */
export interface Rules {
  readonly start: number;
  step(state: number, symbol: number): number;
  accepts(state: number): boolean;
}

/** Thrown by `explore`; the caller knows which part of the predicate it was. */
export class TooManyStates extends Error {}

/**
 * Numbers the states that can be reached, breadth first.
 * @throws TooManyStates beyond `limit` states.
 */
export function explore(rules: Rules, classCount: number, limit: number): Raw {
  const numbers = new Map<number, number>([[rules.start, 0]]);
  const states = [rules.start];
  let next = new Uint32Array(256);
  for (let at = 0; at < states.length; at++) {
    const row = at * classCount;
    if (row + classCount > next.length) {
      const larger = new Uint32Array(2 * next.length + classCount);
      larger.set(next);
      next = larger;
    }
    for (let symbol = 0; symbol < classCount; symbol++) {
      const target = rules.step(states[at], symbol);
      let number = numbers.get(target);
      if (number === undefined) {
        number = states.length;
        if (number >= limit) throw new TooManyStates();
        numbers.set(target, number);
        states.push(target);
      }
      next[row + symbol] = number;
    }
  }
  return {
    classCount,
    stateCount: states.length,
    start: 0,
    accepting: Uint8Array.from(states, (state) => rules.accepts(state) ? 1 : 0),
    next: next.slice(0, states.length * classCount),
  };
}
