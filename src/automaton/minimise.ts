/**
 * Minimisation by partition refinement: J. Hopcroft, "An n log n algorithm for minimizing states
 * in a finite automaton" (1971).
 */
import { acyclicClasses } from "./acyclic.ts";
import type { Raw } from "./explore.ts";

/** @returns the automaton with the fewest states that accepts the same. */
export function minimise(raw: Raw): Raw {
  const { classCount: k, stateCount: n, next } = raw;
  const { classOf, count } = acyclicClasses(raw) ?? hopcroft(raw);
  // One state for each class, numbered as their first members are (so breadth first stays).
  const number = new Int32Array(count).fill(-1);
  const representatives: number[] = [];
  for (let state = 0; state < n; state++) {
    if (number[classOf[state]] >= 0) continue;
    number[classOf[state]] = representatives.length;
    representatives.push(state);
  }
  const minimal = new Uint32Array(representatives.length * k);
  representatives.forEach((state, i) => {
    for (let symbol = 0; symbol < k; symbol++) {
      minimal[i * k + symbol] = number[classOf[next[state * k + symbol]]];
    }
  });
  return {
    classCount: k,
    stateCount: representatives.length,
    start: number[classOf[raw.start]],
    accepting: Uint8Array.from(representatives, (state) => raw.accepting[state]),
    next: minimal,
  };
}

/** @returns the class of each state, two states being in one exactly if they accept the same. */
function hopcroft(raw: Raw): { classOf: Int32Array; count: number } {
  const blocks = refine(raw.classCount, raw.next, Int32Array.from(raw.accepting));
  return {
    classOf: Int32Array.from({ length: raw.stateCount }, (_, state) => blocks.of(state)),
    count: blocks.count,
  };
}

/**
 * @param next `next[state * k + symbol]`, a state.
 * @param kind of each state a small number; states of two kinds are not one.
 * @returns the coarsest partition in which states of a block are of a kind and lead to one block.
 */
export function refine(k: number, next: Uint32Array, kind: Int32Array): Partition {
  const n = kind.length;
  const { begin, sources } = invert(k, n, next);
  const blocks = new Partition(n);
  const waiting: number[] = [];
  const isWaiting: boolean[] = [];
  const wait = (block: number) => {
    waiting.push(block);
    isWaiting[block] = true;
  };
  const splitMarked = () =>
    blocks.split((old, fresh) => {
      if (isWaiting[old]) wait(fresh);
      else wait(blocks.size(fresh) < blocks.size(old) ? fresh : old);
    });

  wait(0);
  const kinds: number[][] = [];
  kind.forEach((one, state) => (kinds[one] ??= []).push(state));
  for (const members of kinds.slice(1)) {
    for (const state of members ?? []) blocks.mark(state);
    splitMarked();
  }
  while (waiting.length > 0) {
    const splitter = waiting.pop()!;
    isWaiting[splitter] = false;
    const members = blocks.members(splitter); // a copy: the splitter itself may be split
    for (let symbol = 0; symbol < k; symbol++) {
      // Mark every state that `symbol` leads into the splitter.
      for (const target of members) {
        const key = target * k + symbol;
        for (let i = begin[key]; i < begin[key + 1]; i++) blocks.mark(sources[i]);
      }
      splitMarked();
    }
  }
  return blocks;
}

/** States grouped into blocks; marked states can be split off theirs. */
export class Partition {
  count = 1;
  private readonly order: Int32Array;
  private readonly place: Int32Array;
  private readonly block: Int32Array;
  private readonly first: number[] = [0];
  private readonly past: number[];
  /** How many states of a block are marked; they stand at its front. */
  private readonly marked: number[] = [0];
  private touched: number[] = [];

  constructor(n: number) {
    this.order = Int32Array.from({ length: n }, (_, i) => i);
    this.place = this.order.slice();
    this.block = new Int32Array(n);
    this.past = [n];
  }

  of(state: number): number {
    return this.block[state];
  }

  size(block: number): number {
    return this.past[block] - this.first[block];
  }

  members(block: number): Int32Array {
    return this.order.slice(this.first[block], this.past[block]);
  }

  mark(state: number): void {
    const block = this.block[state];
    const front = this.first[block] + this.marked[block];
    const place = this.place[state];
    if (place < front) return;
    if (this.marked[block] === 0) this.touched.push(block);
    this.marked[block]++;
    const other = this.order[front];
    this.order[front] = state;
    this.order[place] = other;
    this.place[state] = front;
    this.place[other] = place;
  }

  /** Splits the marked states off every block that has both kinds. */
  split(each: (old: number, fresh: number) => void): void {
    if (this.touched.length === 0) return;
    const touched = this.touched;
    this.touched = [];
    for (const old of touched) {
      const marked = this.marked[old];
      this.marked[old] = 0;
      if (marked === this.size(old)) continue;
      const fresh = this.count++;
      this.first[fresh] = this.first[old];
      this.past[fresh] = this.first[old] + marked;
      this.marked[fresh] = 0;
      this.first[old] += marked;
      for (let i = this.first[fresh]; i < this.past[fresh]; i++) this.block[this.order[i]] = fresh;
      each(old, fresh);
    }
  }
}

/**
 * @returns the transitions backwards: those into `target` by `symbol` come from
 * `sources[begin[key]]` to `sources[begin[key + 1] - 1]`, key = target * k + symbol.
 */
function invert(k: number, n: number, next: Uint32Array) {
  // Counting sort of the transitions by key.
  const begin = new Uint32Array(n * k + 1);
  for (let i = 0; i < next.length; i++) begin[next[i] * k + i % k + 1]++;
  for (let i = 0; i < n * k; i++) begin[i + 1] += begin[i];
  const fill = begin.slice();
  const sources = new Uint32Array(n * k);
  for (let i = 0; i < next.length; i++) {
    sources[fill[next[i] * k + i % k]++] = Math.floor(i / k);
  }
  return { begin, sources };
}
