/**
 * A minimal deterministic automaton over byte classes: what a predicate becomes, and what the
 * kernel's table says.
 */

/** The state that rejects whatever follows. Always present, also where it cannot be reached. */
export const DEAD = 0;

/** The state that accepts whatever follows. Always present, also where it cannot be reached. */
export const UNIVERSAL = 1;

/**
 * States are numbered so that each question is one comparison: below 2 the walk is decided; from
 * `acceptFrom` on a payload may end here. (A walk never ends *undecided* in 0 or 1.)
 */
export interface Dfa {
  /** The class of each of the 256 bytes. */
  readonly classOf: Uint8Array<ArrayBuffer>;
  readonly classCount: number;
  readonly stateCount: number;
  readonly start: number;
  /** Least accepting state but UNIVERSAL; `stateCount` when there is none. */
  readonly acceptFrom: number;
  /** `next[state * classCount + class]`. */
  readonly next: Uint32Array<ArrayBuffer>;
}

/** What an automaton says of a payload. */
export interface Decision {
  readonly accepted: boolean;
  /**
   * Index of the byte that decided, whatever would have followed; the payload's length when its
   * end decided.
   */
  readonly offset: number;
}

/** @returns the automaton's decision on a payload, by the plain definition. */
export function decide(dfa: Dfa, payload: Uint8Array): Decision {
  let state = dfa.start;
  for (let offset = 0; offset < payload.length; offset++) {
    state = dfa.next[state * dfa.classCount + dfa.classOf[payload[offset]]];
    if (state <= UNIVERSAL) return { accepted: state === UNIVERSAL, offset };
  }
  const accepted = state === UNIVERSAL || state >= dfa.acceptFrom;
  return { accepted, offset: payload.length };
}
