/**
 * Several automata on their way through the content together: as one state of their product, as long
 * as it has one. Where a match began only the automata themselves know: those that have a match under
 * way are sent over the last few bytes again, from where none had, when somebody asks.
 */
import { AutomatonRun, earlier, type Found } from "./automaton_run.ts";
import { LEAVE, NOWHERE, type Product } from "./product.ts";

/** After so many bytes without the product it is looked for again. */
const WITHOUT = 256;
/** So far apart the places are that are remembered. */
const BLOCK = 256;

export class ProductRun {
  private readonly runs: AutomatonRun[];
  /**
   * Scaled state of the product. Between two calls of `read` the runs with a match under way are as
   * they should be, the others are where this says; NOWHERE: all are as they should be.
   */
  private state: number;
  /** Those that found a violation at the byte at which `read` stopped. */
  private breaking: AutomatonRun[] = [];

  constructor(private readonly product: Product) {
    this.runs = product.automata.map((automaton) => new AutomatonRun(automaton));
    this.state = this.search();
  }

  /** As AutomatonRun's. */
  read(bytes: Uint8Array, end: number, position: number): number {
    let at = 0;
    while (at < end) {
      if (this.state !== NOWHERE) {
        at = this.together(bytes, at, end, position);
        continue;
      }
      const upTo = Math.min(end, at + WITHOUT);
      const broken = this.apart(bytes, at, upTo, position);
      if (broken >= 0) return broken;
      at = upTo;
      this.state = this.search();
    }
    return -1;
  }

  found(offset: number): Found {
    return this.breaking.map((run) => run.found(offset)).reduce<Found | null>(earlier, null)!;
  }

  end(length: number): Found | null {
    this.settle();
    return this.runs.reduce<Found | null>((found, run) => {
      const what = run.end(length);
      return what === null ? found : earlier(found, what);
    }, null);
  }

  earliest(position: number, remaining: number): number {
    const { product, runs, state } = this;
    const live = state === NOWHERE ? runs.keys() : product.liveIn(state);
    let earliest = position;
    for (const i of live) earliest = Math.min(earliest, runs[i].earliest(position, remaining));
    return earliest;
  }

  /** @returns where the runs are, in the product. */
  private search(): number {
    return this.product.stateOf(Int32Array.from(this.runs, (run) => run.state));
  }

  /** Takes the runs without a match to where the product is. */
  private settle(): void {
    const { product, runs, state } = this;
    if (state !== NOWHERE) product.statesIn(state).forEach((scaled, i) => runs[i].state = scaled);
  }

  /**
   * Reads bytes from index `from` as long as the product knows the way.
   * @returns the index of the first that was not read; if it is not `end`, the runs have to go on.
   */
  private together(bytes: Uint8Array, from: number, end: number, position: number): number {
    const { product } = this;
    const { classOf } = product;
    let { next } = product;
    let state = this.state, at = from;
    // From there the runs can be sent again: no match was under way, or they were as they should be.
    let mark = from, marked = state;
    while (at < end) {
      const stop = Math.min(end, at + BLOCK);
      for (; at < stop; at++) {
        const to = next[state + classOf[bytes[at]]];
        if (to < 0) break;
        state = to;
      }
      if (product.liveIn(state).length === 0) [mark, marked] = [at, state];
      if (at === stop) continue;
      if (next[state + classOf[bytes[at]]] === LEAVE) break;
      product.make(state, bytes[at]);
      next = product.next;
    }
    this.state = state;
    this.catchUp(bytes, mark, marked, at, position);
    if (at < end) {
      this.settle();
      this.state = NOWHERE;
    }
    return at;
  }

  /** Sends the runs that have a match under way over the bytes up to index `to`. */
  private catchUp(
    bytes: Uint8Array,
    mark: number,
    marked: number,
    to: number,
    position: number,
  ): void {
    const { product, runs, state } = this;
    const live = product.liveIn(state);
    if (live.length === 0) return;
    let [from, begin] = [mark, marked];
    for (let at = mark, on = marked; at < to;) {
      on = product.next[on + product.classOf[bytes[at++]]];
      if (product.liveIn(on).length === 0) [from, begin] = [at, on];
    }
    const states = product.statesIn(begin);
    const rest = bytes.subarray(from, to);
    for (const i of live) {
      runs[i].state = states[i];
      runs[i].read(rest, rest.length, position + from);
    }
  }

  /** Each by itself. @returns the index of the first byte that breaks a rule, or -1. */
  private apart(bytes: Uint8Array, from: number, end: number, position: number): number {
    const rest = bytes.subarray(from, end);
    let first = -1, most = rest.length;
    for (const run of this.runs) {
      const index = run.read(rest, most, position + from);
      if (index < 0) continue;
      if (index !== first) this.breaking = [];
      this.breaking.push(run);
      first = index;
      most = index + 1;
    }
    return first < 0 ? -1 : from + first;
  }
}
