/** Several parts on their way through one text. */
import { TooManyStates } from "../automaton/explore.ts";
import { IntLists } from "../automaton/int_lists.ts";
import { BROKEN, type Part } from "./parts.ts";

/** So many joint states are looked at; beyond them it cannot be told. */
export const MOST_JOINT_STATES = 200_000;

/** Bytes that people read, the plainest first; then é, euro signs and all others. */
const READABLE = [
  ..."abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?-_",
].map((character) => character.charCodeAt(0));
const BYTES = [
  ...new Set([
    ...READABLE,
    ...Array.from({ length: 95 }, (_, i) => 0x20 + i),
    ...[0xc3, 0xa9, 0xe2, 0x82],
    ...Array.from({ length: 256 }, (_, byte) => byte),
  ]),
];

export class Joint {
  /** One byte for all that no part tells apart, those that people read first. */
  readonly symbols: readonly number[];
  private readonly states = new IntLists();
  private readonly list: Int32Array;
  private readonly from: Int32Array;

  /** @param refusing may be broken, and the others then still go on; null: there is none. */
  constructor(private readonly refusing: Part | null, private readonly kept: readonly Part[]) {
    const parts = refusing === null ? kept : [refusing, ...kept];
    const symbols = new Map<string, number>();
    for (const byte of BYTES) {
      const key = parts.map(({ classOf }) => classOf[byte]).join();
      if (!symbols.has(key)) symbols.set(key, byte);
    }
    this.symbols = [...symbols.values()];
    this.list = new Int32Array(1 + kept.length);
    this.from = new Int32Array(1 + kept.length);
  }

  /** How many states there are so far; their numbers are below. */
  get count(): number {
    return this.states.count;
  }

  start(): number {
    this.list[0] = this.refusing?.start ?? BROKEN;
    this.kept.forEach(({ start }, i) => this.list[i + 1] = start);
    return this.states.intern(this.list);
  }

  /**
   * @param targets is given for each of the symbols the next state, or BROKEN; new states have the
   * numbers from what `count` was.
   * @throws TooManyStates.
   */
  expand(state: number, targets: Int32Array): void {
    const { list, from, kept, refusing, symbols } = this;
    from.set(this.states.list(state));
    for (let symbol = 0; symbol < symbols.length; symbol++) {
      const byte = symbols[symbol];
      let broken = false;
      for (let i = 0; i < kept.length && !broken; i++) {
        list[i + 1] = kept[i].step(from[i + 1], byte);
        broken = list[i + 1] === BROKEN;
      }
      if (broken) {
        targets[symbol] = BROKEN;
        continue;
      }
      list[0] = from[0] === BROKEN ? BROKEN : refusing!.step(from[0], byte);
      targets[symbol] = this.states.intern(list);
    }
    if (this.states.count > MOST_JOINT_STATES) throw new TooManyStates();
  }

  /** @returns whether the parts that are kept let a text pass that ends there. */
  mayEnd(state: number): boolean {
    const list = this.states.list(state);
    return this.kept.every((part, i) => part.mayEnd(list[i + 1]));
  }

  /** @param atByte it does not count that only the end is refused. */
  refused(state: number, atByte: boolean): boolean {
    const [first] = this.states.list(state);
    return first === BROKEN || (!atByte && !this.refusing!.mayEnd(first));
  }
}
