/** What is known of registers and stack at one place of the program. */
import type { MapName } from "./decode.ts";
import type { Term, Terms } from "./term.ts";

export type Region = "number" | "context" | "frame" | "stack" | MapName | "events map";

/** A number, or an address: so many bytes from where its region begins. */
export interface Value {
  readonly region: Region;
  /** 64 bits. */
  readonly term: Term;
}

export interface State {
  /** Of one bit: whether the way of this frame leads here. */
  readonly guard: Term;
  /** What nothing is known of is not there, and may not be read. */
  readonly registers: readonly (Value | undefined)[];
  /** Bytes, by their offset from the stack's top. */
  readonly stack: ReadonlyMap<number, Term>;
}

const FRAME_POINTER = 10;

/** @returns the state in which the kernel starts an XDP program: r1 the context, r10 the stack. */
export function entryState(t: Terms): State {
  const registers: (Value | undefined)[] = Array(FRAME_POINTER + 1).fill(undefined);
  registers[1] = { region: "context", term: t.constant(0, 64) };
  registers[FRAME_POINTER] = { region: "stack", term: t.constant(0, 64) };
  return { guard: t.true, registers, stack: new Map() };
}
