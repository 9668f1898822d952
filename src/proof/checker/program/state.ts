/** What is known of registers and stack at one place of the program. */
import type { MapName } from "./decode.ts";
import type { Term, Terms } from "./term.ts";

/** What a value is: a number, or an address there. `events` is that map itself, not its value. */
export type Region = "number" | "context" | "frame" | "stack" | MapName;

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
  /** Bytes, by their offset from the stack's top; those that are not there may not be read. */
  readonly stack: ReadonlyMap<number, Term>;
}

const REGISTERS = 11;

/** @returns the state in which the kernel starts an XDP program: r1 the context, r10 the stack. */
export function entryState(t: Terms): State {
  const zero = t.constant(0, 64);
  const none: (Value | undefined)[] = Array(REGISTERS).fill(undefined);
  const registers = none.with(1, { region: "context", term: zero })
    .with(10, { region: "stack", term: zero });
  return { guard: t.true, registers, stack: new Map() };
}
