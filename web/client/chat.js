/** One question to the API, and every way in which its answer can end. */
import { readSse } from "./sse.js";

/**
 * @typedef {object} End
 * @property {"completed" | "stopped" | "refused" | "failed" | "broken" | "cancelled"} kind
 * @property {string | null} receipt its id, where one was given
 * @property {"stop" | "length"} [finish] completed: why
 * @property {string} [by] stopped: `monitor` or `kernel`
 * @property {string} [rule] stopped: the policy's rule or the diode's reason
 * @property {number | null} [offset] stopped: the byte that decides
 * @property {string} [message] refused, failed: for people
 * @property {string} [code] refused, failed: for programs
 *
 * @typedef {object} Listener
 * @property {(receipt: string | null) => void} onBegin the answer has begun
 * @property {(done: number, total: number) => void} onReading how far the prompt has been read
 * @property {(text: string) => void} onText released text
 */

/** More than any answer that is worth reading here. */
const MAX_TEXT = 1_000_000;

/**
 * Asks, and tells the listener what comes.
 * @param {{ prompt: string, maxTokens: number }} question
 * @param {AbortSignal} signal cancels it
 * @param {Listener} listener
 * @returns {Promise<End>} never rejects: an answer that does not say that it is whole is `broken`.
 */
export async function ask(question, signal, listener) {
  /** @type {string | null} */
  let receipt = null;
  try {
    const answer = await fetch("/v1/chat/completions", {
      method: "POST",
      signal,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        model: "default",
        messages: [{ role: "user", content: question.prompt }],
        max_tokens: question.maxTokens,
        stream: true,
      }),
    });
    receipt = answer.headers.get("VEI-Receipt");
    if (!answer.ok || answer.body === null) return failure(await answer.json(), receipt);
    listener.onBegin(receipt);
    return await follow(answer.body, receipt, listener);
  } catch {
    return { kind: signal.aborted ? "cancelled" : "broken", receipt };
  }
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {string | null} receipt
 * @param {Listener} listener
 * @returns {Promise<End>}
 */
async function follow(body, receipt, listener) {
  /** @type {End | null} */
  let end = null;
  let length = 0;
  for await (const item of readSse(body)) {
    if ("comment" in item) {
      const reading = /^reading (\d{1,9})\/(\d{1,9})$/.exec(item.comment);
      if (reading) listener.onReading(Number(reading[1]), Number(reading[2]));
      continue;
    }
    // Only with this last line is the answer whole.
    if (item.data === "[DONE]") return end ?? { kind: "broken", receipt };
    const chunk = JSON.parse(item.data);
    if (chunk.error) return failure(chunk, receipt);
    const choice = chunk.choices?.[0];
    const text = choice?.delta?.content;
    if (typeof text === "string" && text !== "") {
      length += text.length;
      if (length > MAX_TEXT) {
        const message = "The answer is longer than this page shows";
        return { kind: "failed", receipt, message, code: "answer_too_long" };
      }
      listener.onText(text);
    }
    if (choice?.finish_reason) end = endOf(choice.finish_reason, chunk.vei ?? {}, receipt);
  }
  return { kind: "broken", receipt };
}

/**
 * @param {string} reason
 * @param {{ receipt?: string, verdict?: any }} vei
 * @param {string | null} receipt
 * @returns {End}
 */
function endOf(reason, vei, receipt) {
  const id = vei.receipt ?? receipt;
  if (reason === "stop" || reason === "length") {
    return { kind: "completed", receipt: id, finish: reason };
  }
  const { by, rule, offset } = vei.verdict ?? {};
  return { kind: "stopped", receipt: id, by, rule, offset: offset ?? null };
}

/**
 * @param {any} body
 * @param {string | null} receipt
 * @returns {End}
 */
function failure(body, receipt) {
  const { message, code } = body?.error ?? {};
  return {
    kind: code === "policy_refused" ? "refused" : "failed",
    receipt: receipt ?? body?.vei?.receipt ?? null,
    message: typeof message === "string" ? message : "The server gave no reason",
    code: typeof code === "string" ? code : "unknown",
  };
}
