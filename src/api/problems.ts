/** Errors of the API, in the form that OpenAI's clients know, and bodies that are read with care. */
import { VeiError } from "../base/errors.ts";

/** An answer other than 200, with a code that programs can read. */
export class Problem extends Error {
  constructor(
    readonly status: 400 | 403 | 408 | 413 | 415 | 429 | 500 | 502 | 503,
    readonly code: string,
    message: string,
    readonly more: { param?: string; receipt?: string; retryAfter?: number } = {},
  ) {
    super(message);
  }

  /** @returns the HTTP answer. */
  response(): Response {
    const { param, receipt, retryAfter } = this.more;
    const type = this.status < 500 ? "invalid_request_error" : "server_error";
    const error = { message: this.message, type, param: param ?? null, code: this.code };
    return Response.json({ error, ...(receipt ? { vei: { receipt } } : {}) }, {
      status: this.status,
      headers: {
        ...(receipt ? { "VEI-Receipt": receipt } : {}),
        ...(retryAfter ? { "Retry-After": String(retryAfter) } : {}),
      },
    });
  }
}

/** @returns what an error of ours means to a client; the log says more. */
export function problemOf(cause: unknown, receipt?: string): Problem {
  if (cause instanceof Problem) return cause;
  if (cause instanceof VeiError) {
    if (cause.code === "queue-full") {
      return new Problem(429, "queue_full", cause.message, { retryAfter: 5 });
    }
    if (cause.code === "log-unwritable") {
      return new Problem(503, "no_receipt", "No receipt can be written, so nothing is answered", {
        receipt,
      });
    }
    return new Problem(502, "model_failed", cause.message, { receipt });
  }
  return new Problem(500, "internal", "The request failed; the log says why", { receipt });
}

/**
 * @param maxBytes more than that is refused before it is kept.
 * @param maxMs the body has to be here by then.
 * @returns the body's JSON.
 * @throws Problem 408, 413, 415 or 400.
 */
export async function readJson(
  request: Request,
  maxBytes: number,
  maxMs = 30_000,
): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0].trim().toLowerCase();
  // Another type could be sent across origins without asking first.
  if (type !== "application/json") {
    throw new Problem(415, "not_json", "The body must be application/json");
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void reader?.cancel();
  }, maxMs);
  try {
    for (let piece; reader && !(piece = await reader.read()).done;) {
      size += piece.value.length;
      if (size > maxBytes) {
        throw new Problem(413, "body_too_large", `The body is longer than ${maxBytes} bytes`);
      }
      parts.push(piece.value);
    }
  } finally {
    clearTimeout(timer);
  }
  if (late) throw new Problem(408, "body_too_slow", `The body was not here within ${maxMs} ms`);
  try {
    const bytes = await new Blob(parts as BlobPart[]).bytes();
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Problem(400, "not_json", "The body is not JSON in UTF-8");
  }
}
