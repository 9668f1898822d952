/**
 * The monitor's automaton as it is run: tables of numbers. It refines the minimal automaton, which
 * does not know what must be held back (`abx|cabx`: after `ab` two bytes, after `cab` three, yet
 * both are one state): each state says how many matches are under way, and each transition what
 * becomes of the registers that say where these began (`src/automaton/tagged.ts`).
 */
import type { TaggedBytes } from "../automaton/tagged_bytes.ts";
import { livenessOf } from "../automaton/tagged_live.ts";
import { END, NEW } from "../automaton/tagged.ts";

/** A register's source, or a violation's start: the byte that is read. */
export const THIS_BYTE = -1;

/** A violation's start: the end of the content. */
export const AT_END = -2;

/**
 * States are *scaled*: times `classCount`, so that a step is an addition and a load. Those without
 * registers come first.
 */
export interface GateAutomaton {
  /** The class of each of the 256 bytes. */
  readonly classOf: Uint8Array<ArrayBuffer>;
  readonly classCount: number;
  readonly stateCount: number;
  /** The scaled state at the beginning; it has no register. */
  readonly start: number;
  /** Scaled states below have no register. */
  readonly idle: number;
  /**
   * `next[scaled + class]`: a scaled state; or `stateCount * classCount + v`, where
   * `brokenRule[v]` and `brokenStart[v]` say what is broken.
   */
  readonly next: Int32Array<ArrayBuffer>;
  /** `op[scaled + class]`: what is done with the registers if the state behind has any. */
  readonly op: Int32Array<ArrayBuffer>;
  /** The sources of operation o are `opSources[opBegin[o]]` up to `opSources[opBegin[o + 1]]`. */
  readonly opBegin: Int32Array<ArrayBuffer>;
  /** For each register behind a register before, never a lower one; or THIS_BYTE. */
  readonly opSources: Int32Array<ArrayBuffer>;
  /** Of each state (not scaled) the index of its first register in `soonest`; one more at the end. */
  readonly registerBegin: Int32Array<ArrayBuffer>;
  /** Of each register the fewest further bytes, the end being one, to a violation from there. */
  readonly soonest: Int32Array<ArrayBuffer>;
  /** Of each state what is broken if the content ends there, an index of `brokenRule`, or -1. */
  readonly end: Int32Array<ArrayBuffer>;
  readonly brokenRule: Int32Array<ArrayBuffer>;
  /** A register of the state before, THIS_BYTE or AT_END. */
  readonly brokenStart: Int32Array<ArrayBuffer>;
  /** Only bytes before this index may decide, the end being the byte behind the last; Infinity: any. */
  readonly within: number;
}

/** @returns the tables. The automaton's start has no register, as no match is under way there. */
export function tablesOf({ classOf, tagged }: TaggedBytes, within: number): GateAutomaton {
  const { classCount: k, stateCount: n, registers, next, op, ops, end, broken } = tagged;
  const states = [...registers.keys()];
  const order = [
    ...states.filter((state) => registers[state] === 0),
    ...states.filter((state) => registers[state] > 0),
  ];
  const number = new Int32Array(n);
  order.forEach((state, i) => number[state] = i);
  const { base, soonest } = livenessOf(tagged);
  const table = new Int32Array(n * k);
  const opTable = new Int32Array(n * k);
  order.forEach((state, i) => {
    for (let symbol = 0; symbol < k; symbol++) {
      const target = next[state * k + symbol];
      table[i * k + symbol] = target < 0 ? n * k + ~target : number[target] * k;
      opTable[i * k + symbol] = op[state * k + symbol];
    }
  });
  const opBegin = new Int32Array(ops.length + 1);
  ops.forEach((sources, i) => opBegin[i + 1] = opBegin[i] + sources.length);
  const registerBegin = new Int32Array(n + 1);
  order.forEach((state, i) => registerBegin[i + 1] = registerBegin[i] + registers[state]);
  const encoded = (source: number) => source === NEW ? THIS_BYTE : source === END ? AT_END : source;
  return {
    classOf,
    classCount: k,
    stateCount: n,
    start: number[tagged.start] * k,
    idle: registers.filter((count) => count === 0).length * k,
    next: table,
    op: opTable,
    opBegin,
    opSources: Int32Array.from(ops.flat(), encoded),
    registerBegin,
    soonest: Int32Array.from(
      order.flatMap((state) => [...soonest.subarray(base[state], base[state + 1])]),
    ),
    end: Int32Array.from(order, (state) => end[state]),
    brokenRule: Int32Array.from(broken, ({ rule }) => rule),
    brokenStart: Int32Array.from(broken, ({ start }) => encoded(start)),
    within,
  };
}
