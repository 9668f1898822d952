/**
 * What the daemon tells a service manager that started it: that it is ready, what it is doing, that
 * its watch still looks, and that it stops. Started by hand, it tells nobody.
 */
import { monotonicUsec, type Notice, NotifySocket } from "../../ffi/notify.ts";
import type { Log } from "./log.ts";

/**
 * @param name $NOTIFY_SOCKET. To be called in the box's network namespace.
 * @throws VeiError SystemError; RangeError when it is no address.
 */
export function openService(name: string | undefined, log: Log): Service {
  const socket = NotifySocket.open(name);
  return new Service({
    send: socket && ((notice) => socket.send(notice)),
    now: () => performance.now(),
    onError: (message) => log("warn", message),
    monotonicUsec,
  });
}

/** The least time between two signs of life. */
const BEAT_MS = 1000;
/** How much longer a start may take, said anew with each attempt to boot. */
const EXTENSION_USEC = 90_000_000;

export interface ServiceParts {
  /** Sends one message; null when nobody listens. @returns the name of an error, or null. */
  send: ((notice: Notice) => string | null) | null;
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  /** Told of a message that could not be sent, once. */
  onError(message: string): void;
  /** CLOCK_MONOTONIC in microseconds. */
  monotonicUsec(): string;
}

export class Service {
  private isReady = false;
  private stopped = false;
  private beat = -Infinity;
  private failed = false;

  constructor(private readonly parts: ServiceParts) {}

  /** The start goes on, and may take longer. */
  starting(status: string): void {
    if (this.isReady) return this.status(status);
    this.tell({ STATUS: status, EXTEND_TIMEOUT_USEC: String(EXTENSION_USEC) });
  }

  /** Requests are answered: said once, when the first virtual machine is there. */
  ready(status: string): void {
    const first = !this.isReady;
    this.isReady = true;
    this.tell({ ...(first ? { READY: "1" } : {}), STATUS: status });
  }

  status(status: string): void {
    this.tell({ STATUS: status });
  }

  /**
   * To be called by the watch each time that it has found everything as it should be, and by nobody
   * else: these calls are the signs of life, so a watch that hangs ends the daemon.
   */
  looked(): void {
    const now = this.parts.now();
    if (now - this.beat < BEAT_MS) return;
    this.beat = now;
    this.tell({ WATCHDOG: "1" });
  }

  /** Said only after `ready`: what follows would be taken for the end of the start. */
  reloading(): void {
    if (!this.isReady) return;
    this.tell({ RELOADING: "1", MONOTONIC_USEC: this.parts.monotonicUsec() });
  }

  /** After `reloading`, whether anything was changed or not. */
  reloaded(status: string): void {
    if (!this.isReady) return this.status(status);
    this.tell({ READY: "1", STATUS: status });
  }

  /** @param status why, e.g. that the gate was lost; the last word stands. */
  stopping(status: string): void {
    if (this.stopped) return;
    this.stopped = true;
    this.tell({ STOPPING: "1", STATUS: status });
  }

  private tell(notice: Notice): void {
    const error = this.parts.send?.(notice) ?? null;
    if (error === null || this.failed) return;
    this.failed = true;
    this.parts.onError(`cannot tell the service manager ${Object.keys(notice)[0]}: ${error}`);
  }
}
