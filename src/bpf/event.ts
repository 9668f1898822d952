/** The program's record of a dropped frame, read. */
import { formatIpv4 } from "../base/ipv4.ts";
import { EVENT, EVENT_BYTES } from "./layout.ts";
import { type Reason, REASONS, slotOf } from "./reasons.ts";

/** One dropped frame. Fields that had not been established are zero (`layout.ts`, EVENT). */
export interface DropEvent {
  /** CLOCK_MONOTONIC in ns. */
  readonly timeNs: bigint;
  readonly reason: Reason;
  /** Dotted decimal. */
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** TCP sequence number of the first payload byte. */
  readonly sequence: number;
  readonly payloadLength: number;
  readonly frameLength: number;
  /** Index of the payload byte that decided, the payload's length when its end did, or null. */
  readonly offset: number | null;
}

/** @throws RangeError when the record is not one of the program's. */
export function decodeEvent(bytes: Uint8Array): DropEvent {
  if (bytes.length < EVENT_BYTES) throw new RangeError(`An event of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const slot = view.getUint32(EVENT.reason, true);
  if (slot < slotOf("oversize") || slot >= REASONS.length) {
    throw new RangeError(`An event with the unknown reason ${slot}`);
  }
  return {
    timeNs: view.getBigUint64(EVENT.time, true),
    reason: REASONS[slot],
    source: formatIpv4(bytes, EVENT.source),
    destination: formatIpv4(bytes, EVENT.destination),
    sourcePort: view.getUint16(EVENT.sourcePort),
    destinationPort: view.getUint16(EVENT.destinationPort),
    sequence: view.getUint32(EVENT.sequence),
    payloadLength: view.getUint32(EVENT.payloadLength, true),
    frameLength: view.getUint32(EVENT.frameLength, true),
    offset: slot >= slotOf("walk_limit") ? view.getUint32(EVENT.offset, true) : null,
  };
}
