/**
 * The reference monitor: one pass over the content, byte by byte. It releases everything that can no
 * longer become part of a violation, whatever follows, and nothing else. The result does not depend
 * on how the bytes were cut.
 */
import { concat } from "../base/bytes.ts";
import type { GateAutomaton } from "./automaton.ts";

export interface Violation {
  /** Index of the rule in the policy. */
  readonly rule: number;
  /** 0-based index in the content of the byte that decides. */
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

/**
 * The hot loop, a function of its own so that the compiler keeps it in registers.
 * @returns the index of the byte that completes a match, or -1; the last state in `end`.
 */
function scan(
  { classOf, next }: GateAutomaton,
  scaled: number,
  bytes: Uint8Array,
  end: { scaled: number },
): number {
  for (let i = 0; i < bytes.length; i++) {
    scaled = next[scaled + classOf[bytes[i]]];
    if (scaled < 0) {
      end.scaled = scaled;
      return i;
    }
  }
  end.scaled = scaled;
  return -1;
}

export class Monitor {
  /** The state times the number of classes. */
  private scaled = 0;
  private readonly ran = { scaled: 0 };
  private length = 0;
  private held: Uint8Array<ArrayBuffer> = NOTHING;
  private over = false;

  constructor(private readonly automaton: GateAutomaton) {}

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
    const { classCount, hold } = this.automaton;
    const found = scan(this.automaton, this.scaled, bytes, this.ran);
    const scaled = this.ran.scaled;
    if (found >= 0) return this.stop(~scaled / classCount, bytes.subarray(0, found + 1));
    this.scaled = scaled;
    this.length += bytes.length;
    return { released: this.release(bytes, hold[scaled / classCount]), violation: null };
  }

  /** Says that the content has ended: what was held back cannot become a violation any more. */
  end(): Step {
    if (this.over) throw new TypeError("The monitor has ended");
    this.over = true;
    const released = this.held;
    this.held = NOTHING;
    return { released, violation: null };
  }

  private stop(state: number, bytes: Uint8Array): Step {
    this.over = true;
    this.length += bytes.length;
    const { rule, matched } = this.automaton;
    const released = this.release(bytes, matched[state]);
    this.held = NOTHING;
    const violation = {
      rule: rule[state],
      offset: this.length - 1,
      start: this.length - matched[state],
    };
    return { released, violation };
  }

  /** @returns what was held back and `bytes`, but the last `hold` bytes, which are kept. */
  private release(bytes: Uint8Array, hold: number): Uint8Array<ArrayBuffer> {
    const all = this.held.length === 0 ? bytes : concat(this.held, bytes);
    const cut = all.length - hold;
    this.held = all.slice(cut) as Uint8Array<ArrayBuffer>;
    return all.slice(0, cut) as Uint8Array<ArrayBuffer>;
  }
}
