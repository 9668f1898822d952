/**
 * Where things are in the maps' values and on the stack, as the specification reads them: written
 * down here once more, so that the proof does not rest on the compiler's own tables.
 */

/** Byte offsets in the configuration; numbers are little-endian unless they stand as in a frame. */
export const CONFIG = {
  /** As in a frame: destination MAC (6), source MAC (6), source (4) and destination address (4). */
  macs: 0,
  addresses: 12,
  /** u16, as in a frame. */
  sourcePort: 20,
  /** u16. */
  leastPort: 22,
  /** u32. */
  frameLimit: 24,
  /** u16: a state. */
  start: 28,
  /** u32 each: states below it are decided; states from it on accept. */
  decidedBelow: 32,
  acceptFrom: 36,
  /** u8 each: not 0 is true. */
  anyMac: 40,
  anyPort: 41,
  anyOptions: 42,
  dropEmpty: 43,
  /** u32 each. */
  walkBytes: 44,
  leastSize: 48,
  mostSize: 52,
} as const;

/** Byte offsets in the table's value; a state is the index of its row among the u16 entries. */
export const TABLE = {
  /** u16: a row's restless kinds; then its next states, one for each class. */
  rows: 0,
  next: 2,
  /** u8[256] each: the class and the kind of each byte. */
  classes: 131_586,
  kinds: 131_842,
} as const;

/** Bytes of each map's value. */
export const VALUE_BYTES = { table: 132_104, config: 64, counters: 256 } as const;

/** A payload that is not decided by then, where the table looks further, is dropped. */
export const WALK_LIMIT = 1536;

/** Bytes of an event. */
export const EVENT_BYTES = 40;

export const VERDICT = { drop: 1n, pass: 2n } as const;

/** `enum bpf_func_id` */
export const HELPER = { now: 5, report: 130 } as const;
