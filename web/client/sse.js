/** Server-sent events from a fetch (WHATWG HTML, "Server-sent events"): data and comments. */

/** A line longer than this is no answer of ours. */
const MAX_LINE = 1 << 20;

/** @typedef {{ data: string } | { comment: string }} SseItem */

/**
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<SseItem, void, void>} what comes, as it comes; an event that the end of
 * the stream cut off is not given.
 * @throws {RangeError} for a line that does not end; what the stream throws.
 */
export async function* readSse(body) {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  /** @type {string[]} */
  let data = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = /** @type {string} */ (lines.pop());
      if (rest.length > MAX_LINE) throw new RangeError("A line of the answer has no end");
      for (const line of lines) {
        if (line.startsWith(":")) yield { comment: line.slice(1).trim() };
        else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
        else if (line === "" && data.length > 0) {
          const whole = data.join("\n");
          data = [];
          yield { data: whole };
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
