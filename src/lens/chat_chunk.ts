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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param data one event's data, not `[DONE]`.
 * @returns what it says, in order; often one item, sometimes none.
 * @throws VeiError `model-answer-malformed`.
 */
export function readChunk(data: string): Delta[] {
  let chunk: unknown;
  try {
    chunk = JSON.parse(data);
  } catch {
    throw malformed("an event is not JSON");
  }
  if (!isRecord(chunk)) throw malformed("an event is not a JSON object");
  const deltas: Delta[] = [];
  const progress = chunk.prompt_progress;
  if (isRecord(progress)) {
    const { processed, total } = progress;
    if (Number.isSafeInteger(processed) && Number.isSafeInteger(total)) {
      deltas.push({ kind: "progress", processed: Number(processed), total: Number(total) });
    }
  }
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
