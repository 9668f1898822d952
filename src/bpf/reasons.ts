/**
 * Why a frame passed or was dropped. A reason's index is its slot in the counter map and its
 * number in an event. Drop reasons stand in the order of the program's checks, so that a reason
 * tells which fields of the frame had been established before it (see `layout.ts`).
 */
export const REASONS = [
  /** Passed, with a payload that the predicate accepts. */
  "pass",
  /** Passed, without a payload, by the link rules alone. */
  "pass_empty",
  /** Not a verdict: events that the full ring buffer did not take. */
  "events_lost",

  /** The frame is longer than the limit. */
  "oversize",
  /** Shorter than Ethernet, IPv4 and TCP headers without options. */
  "short",
  /** The frame's length is not 14 plus the IP packet's total length. */
  "length",
  /** Source or destination MAC address. */
  "mac",
  /** Not IPv4 (ARP, IPv6, VLAN tags, …). */
  "ethertype",
  /** Not version 4 with a header of 20 bytes: IP options. */
  "ip_header",
  /** A fragment, or the reserved bit of its field. */
  "fragment",
  /** Not TCP. */
  "protocol",
  /** Source or destination IP address. */
  "address",
  /** Source port, or a destination port below the least. */
  "port",
  /** Not one of the seven sets of TCP flags; URG, ECE, CWR. */
  "flags",
  /** Reserved bits of the TCP header. */
  "reserved",
  /** TCP options, or a data offset beyond the packet. */
  "options",
  /** A SYN+ACK that carries a payload. */
  "syn_payload",
  /** No payload, and the diode lets nothing pass. */
  "empty",
  /** The payload is longer than the program walks. */
  "walk_limit",
  /** The predicate does not accept the payload. */
  "predicate",
] as const;

export type Reason = typeof REASONS[number];

/** @returns the reasons that a frame is dropped for, in the order of the program's checks. */
export function dropReasons(): Reason[] {
  return REASONS.slice(slotOf("oversize"));
}

/** @returns the slot of a reason. */
export function slotOf(reason: Reason): number {
  return REASONS.indexOf(reason);
}
