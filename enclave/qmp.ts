/**
 * A client of QEMU's monitor (QMP, docs/interop/qmp-spec). A QEMU that was broken into may say
 * anything here, so that lines, depth, number and kinds of messages are bounded, and whatever is
 * not expected ends the conversation. Nothing of it is ever shown to a user as it came.
 */
import { Exit, VeiError } from "../src/base/errors.ts";

export const MAX_LINE_BYTES = 64 * 1024;
const MAX_DEPTH = 16;
const MAX_EVENTS = 1000;

/** What a machine like ours says of itself while all is well. */
const EVENTS = new Set([
  "SHUTDOWN",
  "RESET",
  "STOP",
  "RESUME",
  "POWERDOWN",
  "NIC_RX_FILTER_CHANGED",
  "RTC_CHANGE",
  "GUEST_PANICKED",
]);

export type QmpMessage =
  | { kind: "greeting" }
  | { kind: "event"; name: string }
  | { kind: "return"; id: string; value: unknown }
  | { kind: "error"; id: string };

/** @returns the error for what QEMU should not have said. */
export function violation(what: string): VeiError {
  return new VeiError({
    code: "qmp-violation",
    message: `QEMU's monitor broke its protocol: ${what}`,
    hint: "the virtual machine was ended: look into it before you trust this box's QEMU",
    exit: Exit.data,
  });
}

/**
 * @param line one message, without its end of line.
 * @throws VeiError `qmp-violation` for anything that is not an expected message.
 */
export function parseQmp(line: string): QmpMessage {
  if (line.length > MAX_LINE_BYTES) throw violation("a line that is too long");
  checkDepth(line);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw violation("a line that is not JSON");
  }
  if (!isRecord(value)) throw violation("a line that is no object");
  if (isRecord(value.QMP)) return { kind: "greeting" };
  if (typeof value.event === "string") {
    if (!EVENTS.has(value.event)) throw violation("an event of an unexpected kind");
    return { kind: "event", name: value.event };
  }
  if (typeof value.id !== "string") throw violation("an answer to nothing");
  if ("return" in value) return { kind: "return", id: value.id, value: value.return };
  if (isRecord(value.error)) return { kind: "error", id: value.id };
  throw violation("a message of no known form");
}

/** JSON.parse recurses: depth is bounded before it. */
function checkDepth(line: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i];
    if (inString) {
      if (char === "\\") i++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === "{" || char === "[") {
      if (++depth > MAX_DEPTH) throw violation("nesting that is too deep");
    } else if (char === "}" || char === "]") depth--;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Cuts a byte stream into lines of bounded length. */
export class LineReader {
  private parts = "";
  private readonly decoder = new TextDecoder("utf-8", { fatal: true });

  /** @throws VeiError `qmp-violation` */
  push(bytes: Uint8Array): string[] {
    try {
      this.parts += this.decoder.decode(bytes, { stream: true });
    } catch {
      throw violation("bytes that are not UTF-8");
    }
    const lines = this.parts.split(/\r?\n/);
    this.parts = lines.pop()!;
    if (this.parts.length > MAX_LINE_BYTES) throw violation("a line that is too long");
    return lines;
  }
}

/** The part of `Deno.Conn` that is used. */
export interface QmpConnection {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

type Waiter = PromiseWithResolvers<unknown>;

/** One conversation with a running QEMU. */
export class Qmp implements Disposable {
  /** Resolves when QEMU ended it (null) or broke the protocol (the violation); never rejects. */
  readonly ended: Promise<VeiError | null>;
  private readonly connection: QmpConnection;
  private readonly greeted: Waiter = Promise.withResolvers();
  private readonly waiting = new Map<string, Waiter>();
  private events = 0;
  private next = 1;
  private closed = false;

  private constructor(connection: QmpConnection) {
    this.connection = connection;
    this.greeted.promise.catch(() => {});
    this.ended = this.readAll();
  }

  /**
   * Waits for the greeting and negotiates capabilities (none).
   * @throws VeiError `qmp-violation`, `qmp-ended`
   */
  static async open(connection: QmpConnection): Promise<Qmp> {
    const qmp = new Qmp(connection);
    try {
      await qmp.greeted.promise;
      await qmp.command("qmp_capabilities");
      return qmp;
    } catch (error) {
      qmp[Symbol.dispose]();
      await qmp.ended;
      throw error;
    }
  }

  /** @returns e.g. `running`, `prelaunch`. @throws VeiError */
  async status(): Promise<string> {
    const answer = await this.command("query-status");
    const status = isRecord(answer) ? answer.status : undefined;
    if (typeof status !== "string" || !/^[a-z-]{1,32}$/.test(status)) {
      throw violation("a status of an unknown form");
    }
    return status;
  }

  /** Asks QEMU to end. @throws VeiError */
  async quit(): Promise<void> {
    await this.command("quit");
  }

  private async command(name: string): Promise<unknown> {
    const id = `vei-${this.next++}`;
    const waiter: Waiter = Promise.withResolvers();
    if (this.closed) throw ended();
    this.waiting.set(id, waiter);
    const bytes = new TextEncoder().encode(JSON.stringify({ execute: name, id }) + "\n");
    try {
      for (let at = 0; at < bytes.length;) at += await this.connection.write(bytes.subarray(at));
    } catch {
      this.fail(ended());
    }
    return await waiter.promise;
  }

  private async readAll(): Promise<VeiError | null> {
    const reader = new LineReader();
    const buffer = new Uint8Array(4096);
    let fault: VeiError | null = null;
    try {
      for (;;) {
        const count = await this.connection.read(buffer);
        if (count === null) break;
        for (const line of reader.push(buffer.subarray(0, count))) this.take(parseQmp(line));
      }
    } catch (error) {
      // Anything but a violation is the connection's end, perhaps by our own hand.
      if (error instanceof VeiError) fault = error;
    }
    this.fail(fault ?? ended());
    this[Symbol.dispose]();
    return fault;
  }

  private take(message: QmpMessage): void {
    if (message.kind === "greeting") return this.greeted.resolve(null);
    if (message.kind === "event") {
      if (++this.events > MAX_EVENTS) throw violation("too many events");
      return;
    }
    const waiter = this.waiting.get(message.id);
    if (waiter === undefined) throw violation("an answer to nothing");
    this.waiting.delete(message.id);
    if (message.kind === "return") waiter.resolve(message.value);
    else waiter.reject(violation("it refused a command"));
  }

  private fail(error: VeiError): void {
    this.closed = true;
    this.greeted.reject(error);
    for (const waiter of this.waiting.values()) waiter.reject(error);
    this.waiting.clear();
  }

  /** Ends the conversation; QEMU goes on. */
  [Symbol.dispose](): void {
    this.closed = true;
    try {
      this.connection.close();
    } catch {
      // Closed already, by the reader.
    }
  }
}

function ended(): VeiError {
  return new VeiError({
    code: "qmp-ended",
    message: "QEMU's monitor has gone",
    hint: "QEMU ended; its log is in the run folder",
    exit: Exit.unavailable,
  });
}
