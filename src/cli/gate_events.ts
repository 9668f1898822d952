/** From the kernel's drop records to events for people: retransmissions marked, floods thinned. */
import type { NewGateEvent } from "../api/hub.ts";
import type { DropEvent } from "../bpf/event.ts";

/** A guest may send as fast as it likes; people and logs are told at most this much a second. */
const MAX_PER_SECOND = 100;
const MAX_REMEMBERED = 4096;

export interface Clocks {
  /** Wall clock in milliseconds. */
  wallMs(): number;
  /** CLOCK_MONOTONIC in nanoseconds, as the kernel stamps events. */
  monotonicNs(): bigint;
}

/** @returns `172.30.0.11:8080 → 172.30.0.1:40000`. */
export function flowText(event: DropEvent): string {
  const from = `${event.source}:${event.sourcePort}`;
  return `${from} → ${event.destination}:${event.destinationPort}`;
}

/** Turns drop records into events; remembers a bounded number of segments. */
export class DropReporter {
  private readonly seen = new Set<string>();
  private second = 0;
  private inSecond = 0;
  private thinned = 0;

  constructor(private readonly clocks: Clocks) {}

  /** How many records were not reported because too many came in one second. */
  get suppressed(): number {
    return this.thinned;
  }

  /** @returns the event to publish, or null where too many came in this second. */
  report(event: DropEvent): NewGateEvent | null {
    const retransmission = this.isRetransmission(event);
    const now = this.clocks.wallMs();
    const second = Math.floor(now / 1000);
    if (second !== this.second) {
      this.second = second;
      this.inSecond = 0;
    }
    if (++this.inSecond > MAX_PER_SECOND) {
      this.thinned++;
      return null;
    }
    const ageMs = Number(this.clocks.monotonicNs() - event.timeNs) / 1e6;
    const { timeNs: _, ...fields } = event;
    return {
      time: new Date(now - ageMs).toISOString(),
      kind: "drop",
      message: `dropped a frame of ${event.frameLength} bytes, reason ${event.reason}` +
        (event.offset === null ? "" : ` at payload byte ${event.offset}`) +
        (event.sourcePort === 0 ? "" : `, ${flowText(event)}`) +
        (retransmission ? " (sent again)" : ""),
      drop: { ...fields, retransmission },
    };
  }

  /** TCP sends a lost segment again: the same flow and sequence number, dropped for the same reason. */
  private isRetransmission(event: DropEvent): boolean {
    if (event.sourcePort === 0) return false;
    const key = `${flowText(event)} ${event.sequence} ${event.reason}`;
    if (this.seen.has(key)) return true;
    if (this.seen.size >= MAX_REMEMBERED) this.seen.delete(this.seen.values().next().value!);
    this.seen.add(key);
    return false;
  }
}
