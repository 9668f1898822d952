/** Automata as they are built: complete, over byte classes shared by the whole predicate. */

/** A complete automaton over `classCount` symbols; every state can be reached from `start`. */
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
  const next: number[] = [];
  for (let at = 0; at < states.length; at++) {
    for (let symbol = 0; symbol < classCount; symbol++) {
      const target = rules.step(states[at], symbol);
      let number = numbers.get(target);
      if (number === undefined) {
        number = states.length;
        if (number >= limit) throw new TooManyStates();
        numbers.set(target, number);
        states.push(target);
      }
      next.push(number);
    }
  }
  return {
    classCount,
    stateCount: states.length,
    start: 0,
    accepting: Uint8Array.from(states, (state) => rules.accepts(state) ? 1 : 0),
    next: Uint32Array.from(next),
  };
}

/** @returns the automaton that runs both and accepts as `combine` says of the two. */
export function product(
  a: Raw,
  b: Raw,
  combine: (a: boolean, b: boolean) => boolean,
  limit: number,
): Raw {
  const k = a.classCount;
  return explore(
    {
      start: a.start * b.stateCount + b.start,
      step(state, symbol) {
        const left = Math.floor(state / b.stateCount);
        const right = state % b.stateCount;
        return a.next[left * k + symbol] * b.stateCount + b.next[right * k + symbol];
      },
      accepts(state) {
        const left = Math.floor(state / b.stateCount);
        return combine(a.accepting[left] === 1, b.accepting[state % b.stateCount] === 1);
      },
    },
    k,
    limit,
  );
}

/** @returns the automaton that accepts what `raw` does not. */
export function complement(raw: Raw): Raw {
  return { ...raw, accepting: raw.accepting.map((accepts) => 1 - accepts) };
}
