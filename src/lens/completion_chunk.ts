/** What we take from a stream chunk of llama-server's bare `/completion`: text and why it ended. */
import { type Delta, parseEvent, progressOf } from "./chat_chunk.ts";
import { malformed } from "./http1.ts";

/**
 * @param data one event's data.
 * @returns what it says, in order.
 * @throws VeiError `model-answer-malformed`.
 */
export function readCompletionChunk(data: string): Delta[] {
  const chunk = parseEvent(data);
  const deltas = progressOf(chunk);
  const { content, stop } = chunk;
  if (typeof content !== "string") throw malformed("content that is not text");
  if (content !== "") deltas.push({ kind: "text", text: content });
  if (stop === true) {
    deltas.push({ kind: "finish", reason: chunk.stop_type === "limit" ? "length" : "stop" });
  } else if (stop !== false && stop !== undefined) throw malformed("an unknown finish reason");
  return deltas;
}
