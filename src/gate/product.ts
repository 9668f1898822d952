/**
 * Several automata as one: their product, made state by state as texts come to need it, as lazily
 * built DFAs are. What prose needs of it is small, though the whole of it may be huge. It only says
 * where each automaton goes; what becomes of their registers the automata themselves have to say.
 */
import { IntLists } from "../automaton/int_lists.ts";
import type { GateAutomaton } from "./automaton.ts";

/** A step that is not known yet. */
export const UNKNOWN = -1;
/** A step after which something is broken, or for which there is no room. */
export const LEAVE = -2;
/** No state of the product. */
export const NOWHERE = -3;

/** So many states are made, of at most some hundred steps each. */
export const MOST_STATES = 4096;

export class Product {
  /** The class of each byte: bytes of one class are alike to every automaton. */
  readonly classOf: Uint8Array;
  readonly classCount: number;
  /** `next[scaled + class]`: a scaled state, UNKNOWN or LEAVE. Another array when a state is made. */
  next: Int32Array;
  /** One byte of each class. */
  private readonly samples: number[] = [];
  /** Of each state the scaled states of the automata. */
  private readonly states = new IntLists();
  /** Of each state the numbers of the automata that have a register there. */
  private readonly live: (readonly number[])[] = [];
  private readonly scratch: Int32Array;

  constructor(
    readonly automata: readonly GateAutomaton[],
    private readonly mostStates = MOST_STATES,
  ) {
    const numbers = new Map<string, number>();
    this.classOf = Uint8Array.from({ length: 256 }, (_, byte) => {
      const key = automata.map(({ classOf }) => classOf[byte]).join();
      if (!numbers.has(key)) numbers.set(key, this.samples.push(byte) - 1);
      return numbers.get(key)!;
    });
    this.classCount = this.samples.length;
    this.next = new Int32Array(64 * this.classCount).fill(UNKNOWN);
    this.scratch = new Int32Array(automata.length);
  }

  /** @returns the scaled state where the automata are in these; NOWHERE if there is no room for it. */
  stateOf(scaled: Int32Array): number {
    const known = this.states.find(scaled);
    if (known >= 0) return known * this.classCount;
    if (this.states.count >= this.mostStates) return NOWHERE;
    const state = this.states.intern(scaled);
    this.live.push(
      [...this.automata.keys()].filter((i) => scaled[i] >= this.automata[i].idle),
    );
    const size = (state + 1) * this.classCount;
    if (size > this.next.length) {
      const next = new Int32Array(Math.max(size, this.next.length * 2)).fill(UNKNOWN);
      next.set(this.next);
      this.next = next;
    }
    return state * this.classCount;
  }

  /** @returns the automata's scaled states; a view, good until the next state is made. */
  statesIn(scaled: number): Int32Array {
    return this.states.list(scaled / this.classCount);
  }

  /** @returns the numbers of the automata with a match under way. */
  liveIn(scaled: number): readonly number[] {
    return this.live[scaled / this.classCount];
  }

  /** Finds out where an unknown step leads. @returns it as it now is in `next`. */
  make(scaled: number, byte: number): number {
    const { automata, scratch } = this;
    scratch.set(this.statesIn(scaled));
    let broken = false;
    automata.forEach(({ next, classOf, stateCount, classCount }, i) => {
      scratch[i] = next[scratch[i] + classOf[byte]];
      if (scratch[i] >= stateCount * classCount) broken = true;
    });
    const target = broken ? NOWHERE : this.stateOf(scratch);
    return this.next[scaled + this.classOf[byte]] = target === NOWHERE ? LEAVE : target;
  }
}
