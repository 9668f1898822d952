/** The other end of a tap: a pretended guest that answers or attacks, frame by frame. */
import { GUEST_MAC, HOST_MAC } from "../../enclave/link.ts";
import { SystemError } from "../../ffi/native.ts";
import type { Tap } from "../../ffi/tap.ts";
import { formatIpv4 } from "../../src/base/ipv4.ts";
import { tcpFrame } from "./net_support.ts";

export const HOST = "172.30.0.1";
export const GUEST = "172.30.0.11";
export const TO_HOST = { toMac: HOST_MAC, fromMac: GUEST_MAC, from: GUEST, to: HOST };

export const SYN = 0x02, SYN_ACK = 0x12, ACK = 0x10, RST = 0x04;

export interface SeenSegment {
  from: string;
  to: string;
  fromPort: number;
  toPort: number;
  flags: number;
  sequence: number;
}

/** @returns what a frame says if it is TCP in IPv4 without options; null otherwise. */
export function readSegment(frame: Uint8Array<ArrayBuffer>): SeenSegment | null {
  if (frame.length < 54 || frame[12] !== 8 || frame[13] !== 0 || frame[23] !== 6) return null;
  const view = new DataView(frame.buffer);
  return {
    from: formatIpv4(frame, 26),
    to: formatIpv4(frame, 30),
    fromPort: view.getUint16(34),
    toPort: view.getUint16(36),
    flags: frame[47]!,
    sequence: view.getUint32(38),
  };
}

/** @returns every frame that the host has sent, until it has been silent for `quietMs`. */
export async function framesFrom(tap: Tap, quietMs = 60): Promise<Uint8Array<ArrayBuffer>[]> {
  const frames: Uint8Array<ArrayBuffer>[] = [];
  for (let quiet = performance.now(); performance.now() - quiet < quietMs;) {
    const frame = tap.read();
    if (frame === null) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      continue;
    }
    frames.push(frame);
    quiet = performance.now();
  }
  return frames;
}

/** Answers the next SYN to port 8080 as a server would. @returns that SYN, null after `ms`. */
export async function acceptOne(tap: Tap, ms = 2000): Promise<SeenSegment | null> {
  for (const end = performance.now() + ms; performance.now() < end;) {
    const frame = tap.read();
    const segment = frame && readSegment(frame);
    if (segment?.flags === SYN) {
      const { fromPort, toPort, sequence } = segment;
      const acknowledge = sequence + 1;
      tap.write(
        tcpFrame({ ...TO_HOST, fromPort: toPort, toPort: fromPort, flags: SYN_ACK, acknowledge }),
      );
      return segment;
    }
    if (frame === null) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return null;
}

/** Writes a frame however often the tap's queue is full. */
export function push(tap: Tap, frame: Uint8Array<ArrayBuffer>): void {
  for (let tries = 0;; tries++) {
    try {
      return tap.write(frame);
    } catch (error) {
      if (!(error instanceof SystemError) || error.errno !== "EAGAIN" || tries === 1000) {
        throw error;
      }
    }
  }
}

/** Ends a connection that `acceptOne` answered, so that the host sends nothing more for it. */
export function reset(tap: Tap, { fromPort, toPort }: SeenSegment): void {
  const at = { ...TO_HOST, fromPort: toPort, toPort: fromPort };
  tap.write(tcpFrame({ ...at, flags: RST, sequence: 1001 }));
}
