/**
 * What a client may ask, in OpenAI's form. What would change the answer and is not supported is
 * refused by name: a parameter that is silently ignored is a wrong answer.
 */
import * as v from "valibot";
import type { ChatRequest, Message } from "../model/model.ts";
import { Problem } from "./problems.ts";

const text = v.pipe(v.string(), v.maxLength(1_000_000));
const content = v.union([
  text,
  v.pipe(
    v.array(v.strictObject({ type: v.literal("text"), text })),
    v.transform((parts) => parts.map((part) => part.text).join("")),
  ),
]);
const tokens = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
const off = v.optional(v.nullable(v.literal(false)));

const Chat = v.strictObject({
  model: v.optional(v.string()),
  messages: v.pipe(
    v.array(v.strictObject({
      role: v.picklist(["system", "developer", "user", "assistant"]),
      content,
      name: v.optional(v.string()),
    })),
    v.minLength(1),
    v.maxLength(1000),
  ),
  max_tokens: v.optional(v.nullable(tokens)),
  max_completion_tokens: v.optional(v.nullable(tokens)),
  temperature: v.optional(v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(2)))),
  seed: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31)))),
  stream: v.optional(v.nullable(v.boolean())),
  stream_options: v.optional(v.nullable(
    v.strictObject({ include_usage: v.optional(v.boolean()) }),
  )),
  // These change nothing here, at these values.
  n: v.optional(v.nullable(v.literal(1))),
  top_p: v.optional(v.nullable(v.literal(1))),
  frequency_penalty: v.optional(v.nullable(v.literal(0))),
  presence_penalty: v.optional(v.nullable(v.literal(0))),
  logprobs: off,
  store: off,
  user: v.optional(v.string()),
});

export interface ParsedChat {
  request: ChatRequest;
  stream: boolean;
  includeUsage: boolean;
}

/** Where the client does not say. */
const DEFAULT_MAX_TOKENS = 256;

/** @throws Problem 400, naming the parameter. */
export function parseChat(body: unknown, model: string): ParsedChat {
  const chat = check(Chat, body);
  if (chat.model !== undefined && chat.model !== model && chat.model !== "default") {
    throw new Problem(400, "model_not_found", `There is no model ${JSON.stringify(chat.model)}`, {
      param: "model",
    });
  }
  const prompt = chat.messages.map((message): Message => ({
    role: message.role === "developer" ? "system" : message.role,
    content: message.content,
  }));
  return {
    request: {
      prompt,
      maxTokens: chat.max_completion_tokens ?? chat.max_tokens ?? DEFAULT_MAX_TOKENS,
      temperature: chat.temperature ?? 0,
      seed: chat.seed ?? 0,
    },
    stream: chat.stream ?? false,
    includeUsage: chat.stream_options?.include_usage ?? false,
  };
}

const Generate = v.strictObject({
  prompt: v.pipe(text, v.nonEmpty()),
  /** Seconds. */
  wait_time: v.optional(v.pipe(v.number(), v.minValue(0.001), v.maxValue(3600)), 30),
});

/** @throws Problem 400, naming the parameter. */
export function parseGenerate(body: unknown): { prompt: string; waitSeconds: number } {
  const { prompt, wait_time } = check(Generate, body);
  return { prompt, waitSeconds: wait_time };
}

function check<S extends v.GenericSchema>(schema: S, body: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const param = (issue.path ?? []).map((item) => String(item.key)).join(".");
  const message = issue.expected === "never"
    ? `The parameter ${param} is not supported`
    : `${param === "" ? "The body" : `The parameter ${param}`}: ${issue.message}`;
  throw new Problem(400, "invalid_parameter", message, { param });
}
