/** Shortest texts that some parts let pass: breadth first, or by length where they must be long. */
import { TooManyStates } from "../automaton/explore.ts";
import { Joint } from "./joint.ts";
import { BROKEN, type Part } from "./parts.ts";

/**
 * @param refusing does not let it pass.
 * @param kept let it pass.
 * @param most bytes.
 * @param atByte it does not count that only the end is refused.
 * @returns a shortest text; null: there is none.
 * @throws TooManyStates.
 */
export function shortestRefused(
  refusing: Part,
  kept: readonly Part[],
  most: number,
  atByte: boolean,
): Uint8Array<ArrayBuffer> | null {
  const joint = new Joint(refusing, kept);
  const isOne = (state: number) => joint.refused(state, atByte) && joint.mayEnd(state);
  const from: number[] = [-1];
  const by: number[] = [0];
  const targets = new Int32Array(joint.symbols.length);
  if (isOne(joint.start())) return new Uint8Array(0);
  let next = 1; // the first state that is one byte further
  let length = 0;
  for (let at = 0; at < joint.count; at++) {
    if (at === next) {
      length++;
      next = joint.count;
    }
    if (length >= most) return null;
    joint.expand(at, targets);
    for (let symbol = 0; symbol < targets.length; symbol++) {
      const target = targets[symbol];
      if (target !== from.length) continue; // known already, or broken
      from.push(at);
      by.push(joint.symbols[symbol]);
      if (isOne(target)) return textTo(target, from, by);
    }
  }
  return null;
}

function textTo(
  state: number,
  from: readonly number[],
  by: readonly number[],
): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (let at = state; from[at] >= 0; at = from[at]) bytes.push(by[at]);
  return Uint8Array.from(bytes.reverse());
}

/** A text that is told by its length alone where it is too long to be shown. */
export interface LongText {
  readonly bytes: number;
  readonly text: Uint8Array<ArrayBuffer> | null;
}

/** Longer texts are told by their length. Bytes. */
const MOST_TEXT = 1 << 20;

/** So many steps are taken from set to set of states. */
const MOST_STEPS = 50_000_000;

/**
 * @param kept let it pass.
 * @returns a shortest text that has at least `least` and at most `most` bytes; null: there is none.
 * @throws TooManyStates.
 */
export function shortestFrom(
  kept: readonly Part[],
  least: number,
  most: number,
): LongText | null {
  if (least > most) return null;
  const graph = graphOf(new Joint(null, kept));
  const sets = new ReachedSets(graph);
  const last = Math.min(most, least + sets.beyond(least));
  for (let bytes = least; bytes <= last; bytes++) {
    const ends = sets.after(bytes).find((state) => graph.ends[state] === 1);
    if (ends === undefined) continue;
    return { bytes, text: bytes > MOST_TEXT ? null : textOf(graph, sets, bytes, ends) };
  }
  return null;
}

/** Every state that can be reached, 0 being the start. */
interface Graph {
  /** Of each state pairs of a byte and where it leads; one of each target. */
  readonly next: readonly (readonly [byte: number, target: number])[][];
  readonly ends: Uint8Array;
}

function graphOf(joint: Joint): Graph {
  const next: [number, number][][] = [];
  const ends: number[] = [];
  const targets = new Int32Array(joint.symbols.length);
  joint.start();
  for (let at = 0; at < joint.count; at++) {
    joint.expand(at, targets);
    const bytes = new Map<number, number>();
    targets.forEach((target, symbol) => {
      if (target !== BROKEN && !bytes.has(target)) bytes.set(target, joint.symbols[symbol]);
    });
    next.push([...bytes].map(([target, byte]) => [byte, target]));
    ends.push(joint.mayEnd(at) ? 1 : 0);
  }
  return { next, ends: Uint8Array.from(ends) };
}

/** The states that texts of so many bytes lead to: from some length on they come again and again. */
class ReachedSets {
  private readonly sets: Int32Array[] = [Int32Array.of(0)];
  private readonly seen = new Map<string, number>([["0", 0]]);
  /** The length at which the sets begin to come again. */
  private begin = -1;
  private steps = 0;

  constructor(private readonly graph: Graph) {}

  /** @returns the set after so many bytes, ascending. @throws TooManyStates. */
  after(bytes: number): Int32Array {
    while (this.begin < 0 && this.sets.length <= bytes) this.extend();
    if (bytes < this.sets.length) return this.sets[bytes];
    const period = this.sets.length - this.begin;
    return this.sets[this.begin + (bytes - this.begin) % period];
  }

  /** @returns how many lengths beyond this one have to be looked at to have seen every set. */
  beyond(bytes: number): number {
    while (this.begin < 0) this.extend();
    return Math.max(this.sets.length - bytes, this.sets.length - this.begin);
  }

  private extend(): void {
    const reached = new Set<number>();
    for (const state of this.sets.at(-1)!) {
      const targets = this.graph.next[state];
      this.steps += targets.length;
      for (const [, target] of targets) reached.add(target);
    }
    if (this.steps > MOST_STEPS) throw new TooManyStates();
    const set = Int32Array.from(reached).sort();
    const key = set.join();
    const before = this.seen.get(key);
    if (before !== undefined) this.begin = before;
    else {
      this.seen.set(key, this.sets.length);
      this.sets.push(set);
    }
  }
}

/** Backwards, from state to state. */
function textOf(
  { next }: Graph,
  sets: ReachedSets,
  bytes: number,
  end: number,
): Uint8Array<ArrayBuffer> {
  const into: [byte: number, from: number][][] = next.map(() => []);
  next.forEach((targets, from) =>
    targets.forEach(([byte, target]) => into[target].push([byte, from]))
  );
  const known = new Map<Int32Array, Set<number>>();
  const text = new Uint8Array(bytes);
  let state = end;
  for (let at = bytes - 1; at >= 0; at--) {
    const set = sets.after(at);
    const before = known.get(set) ?? new Set(set);
    known.set(set, before);
    const [byte, from] = into[state].find(([, from]) => before.has(from))!;
    text[at] = byte;
    state = from;
  }
  return text;
}
