/** Gate events to everybody who listens, without ever waiting for a slow listener. */

export interface GateEvent {
  /** Counts from 1, without holes, for each start of the daemon. */
  id: number;
  /** UTC, RFC 3339. */
  time: string;
  kind: "drop" | "enclave" | "diode" | "daemon" | "exchange";
  /** One sentence. */
  message: string;
  /** For `drop`: what the kernel reported. */
  drop?: {
    reason: string;
    source: string;
    destination: string;
    sourcePort: number;
    destinationPort: number;
    sequence: number;
    payloadLength: number;
    frameLength: number;
    /** Index of the payload byte that decides; null where a link rule did. */
    offset: number | null;
    /** Whether it is a retransmission of a segment that was reported before. */
    retransmission: boolean;
  };
}

export type NewGateEvent = Omit<GateEvent, "id">;

/** A listener that falls this far behind loses the oldest events, and is told how many. */
const MAX_QUEUE = 1024;

export interface Subscription extends AsyncDisposable {
  /** @returns the next event, or null once the hub is closed or the subscription disposed. */
  next(): Promise<GateEvent | null>;
  /** How many events this listener was too slow for. */
  readonly lost: number;
}

class Listener implements Subscription {
  private queue: GateEvent[] = [];
  private wake: ((event: GateEvent | null) => void) | null = null;
  private closed = false;
  lost = 0;

  constructor(private readonly leave: (self: Listener) => void, backlog: GateEvent[]) {
    this.queue.push(...backlog);
  }

  push(event: GateEvent): void {
    if (this.wake) {
      const wake = this.wake;
      this.wake = null;
      wake(event);
    } else {
      if (this.queue.length === MAX_QUEUE) {
        this.queue.shift();
        this.lost++;
      }
      this.queue.push(event);
    }
  }

  next(): Promise<GateEvent | null> {
    const event = this.queue.shift();
    if (event) return Promise.resolve(event);
    if (this.closed) return Promise.resolve(null);
    return new Promise((resolve) => this.wake = resolve);
  }

  close(): void {
    this.closed = true;
    this.wake?.(null);
    this.wake = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.leave(this);
    this.close();
    return Promise.resolve();
  }
}

/** Numbers events, keeps the last ones, and hands them to all listeners. */
export class EventHub {
  private readonly listeners = new Set<Listener>();
  private readonly recent: GateEvent[] = [];
  private last = 0;
  private closed = false;

  /** @param keep how many events, and exchanges besides, a new listener can still be given. */
  constructor(private readonly keep = 256) {}

  publish(event: NewGateEvent): GateEvent {
    const numbered = { id: ++this.last, ...event };
    this.recent.push(numbered);
    this.forget(numbered.kind === "exchange");
    for (const listener of this.listeners) listener.push(numbered);
    return numbered;
  }

  /** Many requests must not push out what the gate did: the two are kept apart. */
  private forget(exchanges: boolean): void {
    const alike = ({ kind }: GateEvent) => (kind === "exchange") === exchanges;
    const count = this.recent.reduce((sum, event) => sum + Number(alike(event)), 0);
    if (count > this.keep) this.recent.splice(this.recent.findIndex(alike), 1);
  }

  /** @param after give first the kept events with a greater id; default: only new ones. */
  subscribe(after = this.last): Subscription {
    const backlog = this.recent.filter((event) => event.id > after);
    const listener = new Listener((self) => this.listeners.delete(self), backlog);
    if (this.closed) listener.close();
    else this.listeners.add(listener);
    return listener;
  }

  /** @returns the last `count` events, oldest first. */
  latest(count: number): GateEvent[] {
    return this.recent.slice(-count);
  }

  /** Ends every subscription. */
  close(): void {
    this.closed = true;
    for (const listener of this.listeners) listener.close();
    this.listeners.clear();
  }
}
