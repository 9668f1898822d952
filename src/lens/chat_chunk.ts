/**
 * What we take from an OpenAI-style stream chunk: the content text, the finish reason from a closed
 * list, and llama-server's prompt progress as two numbers. Every other field is dropped here.
 */
import { malformed } from "./http1.ts";

export type FinishReason = "stop" | "length";

export type Delta =
  | { kind: "progress"; processed: number; total: number }
  | { kind: "text"; text: string }
  | { kind: "finish"; reason: FinishReason };

/** @returns whether `value` is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @returns an event's JSON object. @throws VeiError `model-answer-malformed`. */
export function parseEvent(data: string): Record<string, unknown> {
  let chunk: unknown;
  try {
    chunk = JSON.parse(data);
  } catch {
    throw malformed("an event is not JSON");
  }
  if (!isRecord(chunk)) throw malformed("an event is not a JSON object");
  return chunk;
}

/** @returns how far the prompt has been read, if the event says so: two bounded numbers. */
export function progressOf(chunk: Record<string, unknown>): Delta[] {
  const progress = chunk.prompt_progress;
  if (!isRecord(progress)) return [];
  const { processed, total } = progress;
  const whole = (value: unknown) =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 31;
  if (!whole(processed) || !whole(total)) return [];
  return [{ kind: "progress", processed: Number(processed), total: Number(total) }];
}

/**
 * @param data one event's data, not `[DONE]`.
 * @returns what it says, in order; often one item, sometimes none.
 * @throws VeiError `model-answer-malformed`.
 */
export function readChunk(data: string): Delta[] {
  const chunk = parseEvent(data);
  const deltas: Delta[] = progressOf(chunk);
  const choices = chunk.choices;
  if (!Array.isArray(choices) || choices.length > 1) throw malformed("an event without one choice");
  if (choices.length === 0) return deltas;
  const choice: unknown = choices[0];
  if (!isRecord(choice) || !isRecord(choice.delta)) throw malformed("a choice without a delta");
  const content = choice.delta.content;
  if (typeof content === "string") {
    if (content !== "") deltas.push({ kind: "text", text: content });
  } else if (content !== undefined && content !== null) {
    throw malformed("content that is not text");
  }
  const finish = choice.finish_reason;
  if (finish === "stop" || finish === "length") deltas.push({ kind: "finish", reason: finish });
  else if (finish !== undefined && finish !== null) throw malformed("an unknown finish reason");
  return deltas;
}
