/**
 * What a monitor's program asks of a whole text, in parts: a text passes if it passes each. The
 * limit on bytes is no part: lengths are compared, not walked.
 */
import type { GateAutomaton } from "./automaton.ts";
import { JsonRun } from "./json_run.ts";
import type { MonitorProgram } from "./monitor.ts";

/** No text that begins so passes. */
export const BROKEN = -1;

/** An automaton over bytes; its states are small numbers, given out as they are met. */
export interface Part {
  readonly start: number;
  /** Bytes of one class are alike to every state. */
  readonly classOf: Uint8Array;
  /** @returns the next state, or BROKEN. */
  step(state: number, byte: number): number;
  /** @returns whether a text passes that ends there. */
  mayEnd(state: number): boolean;
  /** @returns whether this is known to be the same automaton. */
  sameAs(other: Part): boolean;
}

/** @returns the parts of a program. */
export function partsOf({ automata, json }: MonitorProgram): Part[] {
  return [
    ...automata.map((automaton) => new AutomatonPart(automaton)),
    ...json.map(({ maxDepth }) => new JsonPart(maxDepth)),
  ];
}

/** @returns whether a text passes the part. */
export function passes(part: Part, text: Uint8Array): boolean {
  let state = part.start;
  for (const byte of text) {
    state = part.step(state, byte);
    if (state === BROKEN) return false;
  }
  return part.mayEnd(state);
}

/** Gives out small numbers. */
class Numbers<T> {
  private readonly known = new Map<T, number>();
  private readonly all: T[] = [];

  of(one: T): number {
    let number = this.known.get(one);
    if (number === undefined) {
      number = this.all.push(one) - 1;
      this.known.set(one, number);
    }
    return number;
  }

  get(number: number): T {
    return this.all[number];
  }
}

/** Behind the last byte that counts. */
const OFF = -1;

class AutomatonPart implements Part {
  readonly start: number;
  readonly classOf: Uint8Array;
  /** How many bytes were read, times the table's length, and the scaled state; or OFF. */
  private readonly numbers = new Numbers<number>();

  constructor(private readonly automaton: GateAutomaton) {
    this.classOf = automaton.classOf;
    this.start = this.numbers.of(automaton.start);
  }

  step(state: number, byte: number): number {
    const key = this.numbers.get(state);
    if (key === OFF) return state;
    const { next, classOf, within } = this.automaton;
    const size = next.length;
    const target = next[key % size + classOf[byte]];
    if (target >= size) return BROKEN;
    if (within === Infinity) return this.numbers.of(target);
    const read = Math.floor(key / size) + 1;
    return this.numbers.of(read >= within ? OFF : read * size + target);
  }

  mayEnd(state: number): boolean {
    const key = this.numbers.get(state);
    const { next, end, classCount } = this.automaton;
    return key === OFF || end[key % next.length / classCount] < 0;
  }

  sameAs(other: Part): boolean {
    if (!(other instanceof AutomatonPart)) return false;
    const [a, b] = [this.automaton, other.automaton];
    const size = a.next.length;
    return a.start === b.start && a.within === b.within && size === b.next.length &&
      a.stateCount === b.stateCount &&
      a.classOf.every((symbol, byte) => symbol === b.classOf[byte]) &&
      a.end.every((broken, state) => broken < 0 === b.end[state] < 0) &&
      a.next.every((target, i) => target === b.next[i] || target >= size && b.next[i] >= size);
  }
}

class JsonPart implements Part {
  readonly start: number;
  readonly classOf = JSON_CLASSES;
  private readonly numbers = new Numbers<string>();
  /** Of each state a run that is there. */
  private readonly runs: JsonRun[] = [];
  /** Of each state where each class leads. */
  private readonly rows: Int32Array[] = [];
  private readonly scratch: JsonRun;

  constructor(private readonly maxDepth: number) {
    this.scratch = new JsonRun(0, maxDepth);
    this.start = this.numberOf(this.scratch);
  }

  step(state: number, byte: number): number {
    this.rows[state] ??= this.rowOf(state);
    return this.rows[state][this.classOf[byte]];
  }

  mayEnd(state: number): boolean {
    return this.runs[state].complete();
  }

  private rowOf(state: number): Int32Array {
    const { scratch } = this;
    const from = this.runs[state];
    scratch.copy(from);
    return Int32Array.from(JSON_SAMPLES, (byte) => {
      const broken = scratch.read(byte, 1) >= 0;
      if (!broken && scratch.sameAs(from)) return state;
      const target = broken ? BROKEN : this.numberOf(scratch);
      scratch.copy(from);
      return target;
    });
  }

  private numberOf(run: JsonRun): number {
    const number = this.numbers.of(run.state);
    if (number === this.runs.length) {
      this.runs.push(new JsonRun(0, this.maxDepth));
      this.runs[number].copy(run);
    }
    return number;
  }

  sameAs(other: Part): boolean {
    return other instanceof JsonPart && other.maxDepth === this.maxDepth;
  }
}

/** Each byte that JSON's grammar names, the digits from 1, other controls, all else. */
const JSON_CLASSES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const named = ' \t\n\r{}[]:,"\\/+-.0abcdefABCDEFnrtulsE'.indexOf(String.fromCharCode(byte));
  if (named >= 0) return 3 + named;
  return 0x31 <= byte && byte <= 0x39 ? 2 : byte < 0x20 ? 1 : 0;
});

/** One byte of each class. */
const JSON_SAMPLES: Uint8Array[] = [];
JSON_CLASSES.forEach((symbol, byte) => JSON_SAMPLES[symbol] ??= Uint8Array.of(byte));
