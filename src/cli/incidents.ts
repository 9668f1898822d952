/** Drops outside of requests, collected by flow until there is an entry to write. */
import type { Incident } from "../api/incident.ts";
import type { KernelDrop } from "../api/exchange.ts";
import type { DropEvent } from "../bpf/event.ts";
import { addDrop } from "./kernel_gate.ts";

/** What comes shortly after the first drop of a flow stands in the same entry. */
const GATHER_MS = 2000;
/** A guest can make flows as it likes, but it must not fill the log. */
const MAX_PER_HOUR = 60;
const HOUR_MS = 3_600_000;
const MAX_FLOWS = 4096;

interface Gathered {
  first: number;
  flow: Incident["flow"];
  drops: Map<string, KernelDrop>;
  written: boolean;
}

export class Incidents {
  private readonly flows = new Map<string, Gathered>();
  private readonly times: number[] = [];
  private left = 0;

  /** @param nowMs a clock that only goes forward. */
  constructor(private readonly nowMs: () => number) {}

  /** How many flows got no entry because there were too many. */
  get suppressed(): number {
    return this.left;
  }

  add(event: DropEvent): void {
    // Before the ports are known all frames of one reason count as one flow.
    const known = event.sourcePort !== 0;
    const key = known
      ? `${event.source}:${event.sourcePort}>${event.destination}:${event.destinationPort}`
      : event.reason;
    let gathered = this.flows.get(key);
    if (!gathered) {
      if (this.flows.size >= MAX_FLOWS) this.flows.delete(this.flows.keys().next().value!);
      gathered = {
        first: this.nowMs(),
        flow: {
          source: known ? event.source : "",
          source_port: event.sourcePort,
          destination: known ? event.destination : "",
          destination_port: event.destinationPort,
        },
        drops: new Map(),
        written: false,
      };
      this.flows.set(key, gathered);
    }
    if (!gathered.written) addDrop(gathered.drops, event);
  }

  /**
   * @param all also those whose flow may go on in the next moment.
   * @returns the incidents to be written now, each flow once.
   */
  due(all = false): Incident[] {
    const now = this.nowMs();
    while (this.times.length > 0 && now - this.times[0] > HOUR_MS) this.times.shift();
    const due: Incident[] = [];
    for (const gathered of this.flows.values()) {
      if (gathered.written || (!all && now - gathered.first < GATHER_MS)) continue;
      gathered.written = true;
      if (this.times.length >= MAX_PER_HOUR) {
        this.left++;
        continue;
      }
      this.times.push(now);
      due.push({ flow: gathered.flow, drops: [...gathered.drops.values()] });
    }
    return due;
  }
}
