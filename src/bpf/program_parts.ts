/** What the parts of the diode program share: see `program.ts`. */
import { mov } from "./isa.ts";
import { EVENT, EVENT_BYTES } from "./layout.ts";
import { type Reason, slotOf } from "./reasons.ts";

/** One of something for each of the program's maps. */
export interface DiodeMaps<T> {
  readonly table: T;
  readonly config: T;
  readonly counters: T;
  readonly events: T;
}

/** Where things are in a frame: Ethernet II (14), IPv4 without options (20), TCP (RFC 9293). */
export const FRAME = {
  ethertype: 12,
  ip: 14,
  totalLength: 16,
  fragment: 20,
  protocol: 23,
  source: 26,
  destination: 30,
  tcp: 34,
  destinationPort: 36,
  sequence: 38,
  dataOffset: 46,
  flags: 47,
  payload: 54,
  /** The payload of a SYN+ACK with MSS, NOP and window scale. */
  synPayload: 62,
} as const;

/** Stack offset of an event's field. */
export const event = (field: keyof typeof EVENT) => EVENT[field] - EVENT_BYTES;

/** What a check that fails from here on is counted as. */
export const because = (reason: Reason) => mov("r0", slotOf(reason));
