/**
 * The reference monitor: one pass over the content, byte by byte. It releases everything that can no
 * longer become part of a violation, whatever follows, and nothing else. The result does not depend
 * on how the bytes were cut.
 */
import { AutomatonRun, earlier, type Found } from "./automaton_run.ts";
import type { GateAutomaton } from "./automaton.ts";
import { HeldBytes } from "./held_bytes.ts";
import { JsonRun } from "./json_run.ts";
import { Product } from "./product.ts";
import { ProductRun } from "./product_run.ts";

/** A policy for one direction, ready to run. */
export interface MonitorProgram {
  /** Each exact in itself; of several, the most that any holds back is held back. */
  readonly automata: readonly GateAutomaton[];
  /** Rules that the content is one JSON text. */
  readonly json: readonly { readonly rule: number; readonly maxDepth: number }[];
  /** The byte with the index `bytes`, and all beyond, break the rule. */
  readonly maxBytes: { readonly rule: number; readonly bytes: number } | null;
  /** The rules' ids, by their index. */
  readonly rules: readonly string[];
}

export interface Violation {
  /** Index of the rule in the program: where several are broken at one byte, the first. */
  readonly rule: number;
  /** 0-based index in the content of the byte that decides; the length where the end does. */
  readonly offset: number;
  /** Leftmost start of a match that was completed there; released are the bytes before it. */
  readonly start: number;
}

export interface Step {
  /** Bytes to hand on now; may be empty. Its own memory. */
  readonly released: Uint8Array<ArrayBuffer>;
  /** Set once: nothing may be pushed afterwards. */
  readonly violation: Violation | null;
}

const NOTHING = new Uint8Array(0);

/** Of each program the product of its automata: all monitors of it know what one has learnt. */
const products = new WeakMap<readonly GateAutomaton[], Product>();

/** @returns the runs through all automata; those that judge the whole content go together. */
function runsOf(automata: readonly GateAutomaton[]): (AutomatonRun | ProductRun)[] {
  const whole = automata.filter(({ within }) => within === Infinity);
  if (whole.length < 2) return automata.map((automaton) => new AutomatonRun(automaton));
  let product = products.get(automata);
  if (product === undefined) products.set(automata, product = new Product(whole));
  const rest = automata.filter(({ within }) => within !== Infinity);
  return [new ProductRun(product), ...rest.map((automaton) => new AutomatonRun(automaton))];
}

export class Monitor {
  private readonly runs: (AutomatonRun | ProductRun)[];
  private readonly json: JsonRun[];
  private readonly held = new HeldBytes();
  /** Length of the content so far. */
  private length = 0;
  private over = false;

  constructor(private readonly program: MonitorProgram) {
    this.runs = runsOf(program.automata);
    this.json = program.json.map(({ rule, maxDepth }) => new JsonRun(rule, maxDepth));
  }

  /** How many bytes are held back now. */
  get holding(): number {
    return this.held.length;
  }

  /**
   * @param bytes the next bytes of the content; not kept.
   * @throws TypeError after a violation or the end.
   */
  push(bytes: Uint8Array): Step {
    if (this.over) throw new TypeError("The monitor has ended");
    const position = this.length;
    const { maxBytes } = this.program;
    let at = bytes.length; // the byte that decides, so far
    let found: Found | null = null;
    // What is broken no later than what is known comes first, or is broken at the same byte.
    const note = (index: number, what: Found) => {
      found = index < at || found === null ? what : earlier(found, what);
      at = index;
    };
    if (maxBytes !== null && position + at > maxBytes.bytes) {
      const index = Math.max(0, maxBytes.bytes - position);
      note(index, { rule: maxBytes.rule, start: position + index });
    }
    const upTo = () => Math.min(at + 1, bytes.length);
    for (const run of this.runs) {
      const index = run.read(bytes, upTo(), position);
      if (index >= 0) note(index, run.found(position + index));
    }
    for (const run of this.json) {
      const index = run.read(bytes, upTo());
      if (index >= 0) note(index, { rule: run.rule, start: position + index });
    }
    if (found !== null) return this.stop(found, bytes, at);
    this.length += bytes.length;
    return { released: this.release(bytes, this.earliest()), violation: null };
  }

  /**
   * Says that the content has ended: what was held back cannot become a violation any more, unless
   * the end itself makes one.
   */
  end(): Step {
    if (this.over) throw new TypeError("The monitor has ended");
    let found: Found | null = null;
    for (const run of this.runs) {
      const what = run.end(this.length);
      if (what !== null) found = earlier(found, what);
    }
    for (const run of this.json) {
      if (!run.complete()) found = earlier(found, { rule: run.rule, start: this.length });
    }
    if (found !== null) return this.stop(found, NOTHING, 0);
    this.over = true;
    return { released: this.held.take(this.held.length), violation: null };
  }

  /** Where what must be held back begins, as an index in the content. */
  private earliest(): number {
    const { maxBytes } = this.program;
    // The byte beyond the limit may still be the one that decides.
    const remaining = maxBytes === null ? Infinity : maxBytes.bytes + 1 - this.length;
    let earliest = this.length;
    for (const run of this.runs) {
      earliest = Math.min(earliest, run.earliest(this.length, remaining));
    }
    return earliest;
  }

  /** @param index of the byte in `bytes` that decides. */
  private stop({ rule, start }: Found, bytes: Uint8Array, index: number): Step {
    const offset = this.length + index;
    this.over = true;
    this.length += Math.min(index + 1, bytes.length);
    const released = this.release(bytes.subarray(0, index + 1), start);
    this.held.clear();
    return { released, violation: { rule, offset, start } };
  }

  /** @returns what was held back and `bytes` up to the index `start` in the content; keeps the rest. */
  private release(bytes: Uint8Array, start: number): Uint8Array<ArrayBuffer> {
    const hold = this.length - start;
    if (this.held.length === 0 && hold < bytes.length) {
      this.held.add(bytes.subarray(bytes.length - hold));
      return bytes.slice(0, bytes.length - hold) as Uint8Array<ArrayBuffer>;
    }
    this.held.add(bytes);
    return this.held.take(this.held.length - hold);
  }
}
