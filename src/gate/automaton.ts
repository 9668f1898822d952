/**
 * The monitor's automaton: for each state not only whether a rule is broken, but how many of the
 * last bytes may still become part of a violation. It refines the minimal automaton, which does not
 * know the latter (`abx|cabx`: after `ab` hold 2 bytes, after `cab` 3, yet both are one state).
 */

/** No rule is broken. */
export const NO_RULE = -1;

export interface GateAutomaton {
  /** The class of each of the 256 bytes. */
  readonly classOf: Uint8Array<ArrayBuffer>;
  readonly classCount: number;
  readonly stateCount: number;
  /**
   * `next[state * classCount + class]`, itself multiplied by `classCount`; complemented (`~`, so
   * negative) where a match ends in that state. State 0 is the start. One load and one sign test
   * a byte.
   */
  readonly next: Int32Array<ArrayBuffer>;
  /** Length of the longest live partial match that ends here: so many bytes are held back. */
  readonly hold: Uint32Array<ArrayBuffer>;
  /** Index of the first rule with a match that ends here, or NO_RULE. */
  readonly rule: Int32Array<ArrayBuffer>;
  /** Length of the longest match that ends here, of any rule; 0 where none does. */
  readonly matched: Uint32Array<ArrayBuffer>;
}
