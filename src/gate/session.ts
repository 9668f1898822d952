/**
 * One answer on its way to the user: the model's deltas through the monitor, to a sink that may be
 * slow. It ends at once when the monitor or the kernel says so, and the sink gets no byte afterwards.
 */
import type { Delta, FinishReason } from "../lens/chat_chunk.ts";
import { Monitor, type MonitorProgram, type Violation } from "./monitor.ts";

export type End<Stop> =
  | { kind: "finished"; finish: FinishReason }
  | { kind: "violation"; violation: Violation }
  /** `stop` was settled: the kernel, the client or a limit. */
  | { kind: "stopped"; stop: Stop }
  /** The model's answer broke off or was not well formed. */
  | { kind: "failed"; cause: unknown };

export interface SessionParts<Stop> {
  program: MonitorProgram;
  /** More content events than that are not taken: a server may not know when to end. */
  maxTokens?: number;
  deltas: AsyncIterable<Delta>;
  /**
   * Takes released text; the next is taken from the model only after it returned. The bytes are
   * whole characters.
   */
  emit(text: string, bytes: Uint8Array): void | Promise<void>;
  /** What ends the session from outside. */
  stop: Promise<Stop>;
  /** Told of each text that the model sent, with its length in bytes. */
  onText?(bytes: number): void;
  /** Called for the model's progress with the prompt. */
  onProgress?(processed: number, total: number): void;
}

export interface SessionResult<Stop> {
  end: End<Stop>;
  /** Content tokens that the model sent: its text events. */
  tokens: number;
}

/** @returns how it ended; never rejects but for a sink that throws. */
export async function runSession<Stop>(parts: SessionParts<Stop>): Promise<SessionResult<Stop>> {
  const monitor = new Monitor(parts.program);
  const encoder = new TextEncoder();
  const whole = new WholeCharacters();
  const iterator = parts.deltas[Symbol.asyncIterator]();
  const stopped = parts.stop.then((stop): { stop: Stop } => ({ stop }));
  let tokens = 0;
  let finish: FinishReason | null = null;
  const emit = async (bytes: Uint8Array<ArrayBuffer>, last = false) => {
    const ready = whole.push(bytes, last);
    if (ready.bytes.length === 0) return;
    try {
      await parts.emit(ready.text, ready.bytes);
    } catch (cause) {
      void iterator.return?.().catch(() => {});
      throw cause;
    }
  };
  const done = async (end: End<Stop>): Promise<SessionResult<Stop>> => {
    // Closes the connection, which cancels the model's run.
    await iterator.return?.().catch(() => {});
    return { end, tokens };
  };
  for (;;) {
    let step;
    try {
      step = await Promise.race([iterator.next(), stopped]);
    } catch (cause) {
      return await done({ kind: "failed", cause });
    }
    if ("stop" in step) {
      // The model may hang in a read that never ends: closing must not wait for it.
      void iterator.return?.().catch(() => {});
      return { end: { kind: "stopped", stop: step.stop }, tokens };
    }
    if (step.done) break;
    const delta = step.value;
    if (delta.kind === "progress") parts.onProgress?.(delta.processed, delta.total);
    if (delta.kind === "finish") finish = delta.reason;
    if (delta.kind !== "text") continue;
    if (tokens === parts.maxTokens) {
      finish = "length";
      void iterator.return?.().catch(() => {});
      break;
    }
    tokens++;
    const bytes = encoder.encode(delta.text);
    parts.onText?.(bytes.length);
    const { released, violation } = monitor.push(bytes);
    await emit(released, violation !== null);
    if (violation) return await done({ kind: "violation", violation });
  }
  if (finish === null) {
    return await done({ kind: "failed", cause: new Error("the answer ended without a reason") });
  }
  const { released, violation } = monitor.end();
  await emit(released, true);
  return {
    end: violation ? { kind: "violation", violation } : { kind: "finished", finish },
    tokens,
  };
}

/** The monitor may cut inside a character: its first bytes wait for the rest. */
class WholeCharacters {
  private rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** @param last nothing follows: what is left of a character is not shown. */
  push(
    bytes: Uint8Array<ArrayBuffer>,
    last: boolean,
  ): { text: string; bytes: Uint8Array<ArrayBuffer> } {
    const all = new Uint8Array(this.rest.length + bytes.length);
    all.set(this.rest);
    all.set(bytes, this.rest.length);
    const cut = all.length - incomplete(all);
    this.rest = last ? new Uint8Array(0) : all.slice(cut);
    const ready = all.subarray(0, cut);
    return { text: this.decoder.decode(ready), bytes: ready };
  }
}

/** @returns how many bytes at the end begin a character (RFC 3629) that is not complete. */
function incomplete(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}
