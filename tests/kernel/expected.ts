/** What the judge says of a frame, and the event that the kernel then has to report. */
import { assertEquals } from "@std/assert";
import type { DropEvent } from "../../src/bpf/event.ts";
import { type JudgeLink, judgeLink } from "../judge/link_rules.ts";

/** Judges a payload: null to pass it, or the offset that decides against it. */
export type PayloadJudge = (payload: Uint8Array) => number | null;

export interface Expected {
  /** A reason of the counters: `pass`, `pass_empty`, or why it is dropped. */
  reason: string;
  /** All of the event but its time; null when the frame passes. */
  event: Record<string, unknown> | null;
}

/** Which drops already know a frame's addresses, ports, payload. */
const BEFORE_ADDRESSES = ["oversize", "short", "length", "mac", "ethertype", "ip_header"];
const BEFORE_PORTS = [...BEFORE_ADDRESSES, "fragment", "protocol"];
const BEFORE_PAYLOAD = [...BEFORE_PORTS, "address", "port", "flags", "reserved", "options"];

export function expect(frame: Uint8Array, link: JudgeLink, judge: PayloadJudge): Expected {
  const verdict = judgeLink(frame, link);
  let offset: number | null = null;
  let reason: string;
  if ("drop" in verdict) reason = verdict.drop;
  else if (verdict.payload.length === 0) reason = "pass_empty";
  else {
    offset = judge(verdict.payload);
    reason = offset === null ? "pass" : "predicate";
  }
  if (reason.startsWith("pass")) return { reason, event: null };

  const view = new DataView(frame.buffer, frame.byteOffset);
  const ip = (at: number) => [...frame.subarray(at, at + 4)].join(".");
  const addresses = !BEFORE_ADDRESSES.includes(reason);
  const ports = !BEFORE_PORTS.includes(reason);
  const payload = !BEFORE_PAYLOAD.includes(reason);
  return {
    reason,
    event: {
      reason,
      source: addresses ? ip(26) : "0.0.0.0",
      destination: addresses ? ip(30) : "0.0.0.0",
      sourcePort: ports ? view.getUint16(34) : 0,
      destinationPort: ports ? view.getUint16(36) : 0,
      sequence: ports ? view.getUint32(38) : 0,
      payloadLength: payload ? frame.length - 34 - 4 * (frame[46] >> 4) : 0,
      frameLength: frame.length,
      offset,
    },
  };
}

/** Fails unless the events say what the judge expects, in order; their times are not compared. */
export function sameEvents(events: DropEvent[], expected: Record<string, unknown>[]): void {
  const found = events.map(({ timeNs: _, ...rest }) => rest);
  // By text first: comparing thousands of objects field by field takes seconds.
  const text = (event: Record<string, unknown>) => Object.entries(event).sort().join();
  if (found.map(text).join("\n") !== expected.map(text).join("\n")) assertEquals(found, expected);
}

/** The judge of `not contains "hate" within 512`, by the plain reading of it. */
export function judgeHateless(payload: Uint8Array): number | null {
  const word = [104, 97, 116, 101];
  for (let last = 3; last < Math.min(payload.length, 512); last++) {
    if (word.every((byte, i) => payload[last - 3 + i] === byte)) return last;
  }
  return null;
}
