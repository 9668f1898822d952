/**
 * The listener before the API. Deno.serve has no time-outs, so one client that sends half a head
 * holds a connection for ever. Here a head has to come whole and soon; it is passed on with
 * `Connection: close`, so that a connection carries one request; and a client that does not read is
 * cut off. Behind it Deno.serve listens on a socket that only we can reach.
 */
import { concat } from "../base/bytes.ts";

export interface FrontLimits {
  /** From the connection to the end of the request's head. */
  headMs: number;
  /** How long a client may leave bytes unread. */
  stalledMs: number;
  maxConnections: number;
}

export const FRONT_LIMITS: FrontLimits = { headMs: 10_000, stalledMs: 60_000, maxConnections: 512 };

/** A connection has three descriptors: the client's, and both ends of the one to the server. */
const DESCRIPTORS_EACH = 3;
const DESCRIPTORS_ELSEWHERE = 128;
/** How long to wait when no connection can be taken: others have to end first. */
const FULL_MS = 100;

/** @param descriptors how many may be open. @returns limits that they suffice for. */
export function frontLimits(descriptors: number): FrontLimits {
  const most = Math.floor((descriptors - DESCRIPTORS_ELSEWHERE) / DESCRIPTORS_EACH);
  const maxConnections = Math.max(1, Math.min(FRONT_LIMITS.maxConnections, most));
  return { ...FRONT_LIMITS, maxConnections };
}

const MAX_HEAD_BYTES = 16 * 1024;

/** The part of a connection that is used. */
interface Stream {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

export interface Front {
  /** Takes no more connections; those that are open go on. */
  close(): void;
  /** Settled when every connection has ended. */
  readonly ended: Promise<void>;
  /** Ends every connection. */
  cut(): void;
}

/**
 * @param listener already bound; it belongs to the front from now on.
 * @param connect a new connection to the server behind.
 */
export function startFront(
  listener: Deno.TcpListener,
  connect: () => Promise<Stream>,
  limits: FrontLimits = FRONT_LIMITS,
): Front {
  const open = new Set<() => void>();
  const running = new Set<Promise<void>>();
  const accepting = (async () => {
    for (;;) {
      let client: Deno.TcpConn;
      try {
        client = await listener.accept();
      } catch (cause) {
        if (cause instanceof Deno.errors.BadResource) return; // Closed, by us.
        // A client that is gone already, or no descriptor left: the next one may fare better.
        await new Promise((resolve) => setTimeout(resolve, FULL_MS));
        continue;
      }
      if (open.size >= limits.maxConnections) {
        closeQuietly(client);
        continue;
      }
      const relay = new Relay(client, limits);
      const cut = () => relay.close();
      open.add(cut);
      const run = relay.run(connect).finally(() => {
        open.delete(cut);
        running.delete(run);
      });
      running.add(run);
    }
  })().catch(() => {});
  const all = async () => {
    await accepting;
    while (running.size > 0) await Promise.all(running);
  };
  let ended: Promise<void> | null = null;
  return {
    close: () => closeQuietly(listener),
    get ended() {
      return ended ??= all();
    },
    cut: () => open.forEach((cut) => cut()),
  };
}

/** One connection and its one request. */
class Relay {
  private server: Stream | null = null;
  private closed = false;

  constructor(private readonly client: Stream, private readonly limits: FrontLimits) {}

  async run(connect: () => Promise<Stream>): Promise<void> {
    try {
      const head = await this.readHead();
      if (head === null) return;
      this.server = await connect();
      if (this.closed) return closeQuietly(this.server);
      await writeAll(this.server, head);
      // The answer's end is the connection's; the request's body may go on until then.
      void this.pump(this.client, this.server, null);
      await this.pump(this.server, this.client, this.limits.stalledMs);
    } catch {
      // Either side broke off: so does the other.
    } finally {
      this.close();
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeQuietly(this.client);
    if (this.server) closeQuietly(this.server);
  }

  /** @returns the head as it is passed on, with what came after it; null when it was refused. */
  private async readHead(): Promise<Uint8Array | null> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      void this.refuse("408 Request Timeout").finally(() => this.close());
    }, this.limits.headMs);
    try {
      let bytes: Uint8Array = new Uint8Array(0);
      const buffer = new Uint8Array(4096);
      for (;;) {
        const count = await this.client.read(buffer);
        if (count === null || late) return null;
        bytes = concat(bytes, buffer.subarray(0, count));
        const end = endOfHead(bytes);
        if (end >= 0) return concat(onlyRequest(bytes.subarray(0, end)), bytes.subarray(end));
        if (bytes.length > MAX_HEAD_BYTES) {
          await this.refuse("431 Request Header Fields Too Large");
          return null;
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  private async refuse(status: string): Promise<void> {
    const answer = `HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
    await writeAll(this.client, new TextEncoder().encode(answer)).catch(() => {});
  }

  /** @param stalledMs the longest that one write may take; null: as long as it likes. */
  private async pump(from: Stream, to: Stream, stalledMs: number | null): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    try {
      for (let count; (count = await from.read(buffer)) !== null;) {
        const timer = stalledMs === null ? undefined : setTimeout(() => this.close(), stalledMs);
        try {
          await writeAll(to, buffer.subarray(0, count));
        } finally {
          clearTimeout(timer);
        }
      }
    } catch (cause) {
      if (stalledMs !== null) throw cause;
      // The client went away in the middle of its request, or of the answer.
      this.close();
      return;
    }
    // The client's end is taken for its going away, as Deno.serve takes it: an open event stream
    // would not notice otherwise.
    if (stalledMs === null) this.close();
  }
}

/** @returns the index after the empty line, or -1. */
function endOfHead(bytes: Uint8Array): number {
  for (let i = 3; i < bytes.length; i++) {
    if (bytes[i] === 10 && bytes[i - 1] === 13 && bytes[i - 2] === 10 && bytes[i - 3] === 13) {
      return i + 1;
    }
  }
  return -1;
}

/** @returns the head with `Connection: close` in place of what the client says of it. */
function onlyRequest(head: Uint8Array): Uint8Array {
  const lines = Array.from(head, (byte) => String.fromCharCode(byte)).join("").split("\r\n");
  const kept = lines.slice(0, -2).filter((line, i) =>
    i === 0 || !/^(connection|keep-alive|proxy-connection|upgrade)\s*:/i.test(line)
  );
  const text = [...kept, "Connection: close", "", ""].join("\r\n");
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

async function writeAll(to: Stream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

function closeQuietly(one: { close(): void }): void {
  try {
    one.close();
  } catch {
    // Closed already.
  }
}
