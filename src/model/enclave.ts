/**
 * The adapter to the model server in the enclave: one connection for each request, so that a kernel
 * event is matched to its request by flow (our own port).
 */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { type Delta, readChunk } from "../lens/chat_chunk.ts";
import { readCompletionChunk } from "../lens/completion_chunk.ts";
import { malformed, ResponseReader } from "../lens/http1.ts";
import { EventReader } from "../lens/sse.ts";
import type { ChatRequest, Model } from "./model.ts";

/** The part of `Deno.TcpConn` that is used. */
export interface Connection {
  readonly localAddr: Deno.Addr;
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

const encoder = new TextEncoder();

/** @returns the bytes of the HTTP request for a streamed completion. */
export function encodeRequest(host: string, request: ChatRequest): Uint8Array {
  const { prompt } = request;
  const bare = typeof prompt === "string";
  const body = encoder.encode(JSON.stringify({
    ...(bare
      ? { prompt, n_predict: request.maxTokens }
      : { messages: prompt, max_tokens: request.maxTokens }),
    temperature: request.temperature,
    seed: request.seed,
    cache_prompt: false,
    stream: true,
    return_progress: true,
  }));
  const head = encoder.encode(
    `POST ${
      bare ? "/completion" : "/v1/chat/completions"
    } HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
  );
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

/** Writes all of `bytes`. */
async function writeAll(connection: Connection, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/**
 * Sends a chat request and yields the answer as it comes. The connection is closed at the end, also
 * when the consumer stops early: that cancels the model's run.
 * @param host for the Host field, e.g. `172.30.0.11:8080`.
 * @param options `signal` closes the connection, also in the middle of a read; `idleMs`: so does a
 * server that says nothing for so long (a killed machine does not even close its connections).
 * @throws VeiError `model-answer-malformed`, `model-refused` (any status but 200).
 */
export async function* chat(
  connection: Connection,
  host: string,
  request: ChatRequest,
  options: { signal?: AbortSignal; idleMs?: number } = {},
): AsyncGenerator<Delta> {
  const { signal, idleMs } = options;
  // A generator cannot be returned from while it waits in a read: closing ends that too.
  const readEvent = typeof request.prompt === "string" ? readCompletionChunk : readChunk;
  let open = true;
  const close = () => {
    if (open) connection.close();
    open = false;
  };
  signal?.addEventListener("abort", close, { once: true });
  try {
    signal?.throwIfAborted();
    await writeAll(connection, encodeRequest(host, request));
    const http = new ResponseReader();
    const events = new EventReader();
    const buffer = new Uint8Array(16 * 1024);
    for (let ended = false; !http.done;) {
      let late = false;
      const timer = idleMs === undefined ? undefined : setTimeout(() => {
        late = true;
        close();
      }, idleMs);
      let count: number | null;
      try {
        count = await connection.read(buffer);
      } catch (cause) {
        throw late ? silent(idleMs!) : cause;
      } finally {
        clearTimeout(timer);
      }
      if (count === null) {
        http.end();
        break;
      }
      for (const body of http.push(buffer.subarray(0, count))) {
        checkHead(http);
        for (const data of events.push(body)) {
          if (ended) throw malformed("an event after the last");
          if (data === "[DONE]") ended = true;
          else yield* readEvent(data);
        }
      }
    }
    checkHead(http);
    events.end();
  } finally {
    signal?.removeEventListener("abort", close);
    close();
  }
}

function silent(ms: number): VeiError {
  return new VeiError({
    code: "model-silent",
    message: `The model server said nothing for ${ms / 1000} s`,
    hint: "`vei status` shows whether the enclave is well",
    exit: Exit.unavailable,
  });
}

function checkHead(http: ResponseReader): void {
  const head = http.head!;
  if (head.status !== 200) {
    // The body of an error is the model's text: it is not shown.
    throw new VeiError({
      code: "model-refused",
      message: `The model server answered with status ${head.status}`,
      hint: head.status === 400
        ? "the prompt may be longer than the context ([enclave] context)"
        : "`vei status` shows whether the enclave is well",
      exit: Exit.unavailable,
    });
  }
  if (head.headers.get("content-type") !== "text/event-stream") {
    throw malformed("it is not an event stream");
  }
}

export interface EnclaveServer {
  name: string;
  /** SHA-256 of the weights. */
  sha256: string;
  /** For the Host field. */
  host: string;
  /** A run ends when the server says nothing for so long. */
  idleMs: number;
  /** A new connection to the guest; the caller has checked that it is inside the link. */
  connect(): Promise<Connection>;
}

/** @returns the enclave's model server as a model: one connection for each run. */
export function enclaveModel({ name, sha256, host, idleMs, connect }: EnclaveServer): Model {
  return {
    kind: "enclave",
    name,
    sha256,
    async start(request, signal) {
      let connection: Connection;
      try {
        connection = await connect();
      } catch (cause) {
        if (cause instanceof VeiError) throw cause;
        throw new VeiError({
          code: "model-unreachable",
          message: `The model server in the enclave does not answer: ${messageOf(cause)}`,
          hint: "`vei status` shows whether the enclave is well",
          exit: Exit.unavailable,
          cause,
        });
      }
      const { port } = connection.localAddr as Deno.NetAddr;
      return { port, deltas: chat(connection, host, request, { signal, idleMs }) };
    },
  };
}
