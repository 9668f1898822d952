/**
 * The routes that ask the model. We write the answer ourselves: from the model come the content,
 * through the monitor, and the finish reason from a closed list; nothing else of it is passed on.
 */
import type { Context, Hono } from "hono";
import type { Model } from "../model/model.ts";
import type { Verdict } from "../receipt/statement.ts";
import { parseChat, type ParsedChat, parseGenerate } from "./chat_request.ts";
import {
  type Answered,
  type Asked,
  exchange,
  type KernelGate,
  type Node,
  POLICY_LIMIT,
} from "./exchange.ts";
import { Problem, problemOf, readJson } from "./problems.ts";
import type { Slots } from "./slots.ts";
import { explain } from "../base/errors.ts";

/** What answers now. */
export interface Backend {
  readonly model: Model;
  readonly kernel: KernelGate | null;
}

export interface ChatParts {
  readonly node: Node;
  readonly slots: Slots;
  /** Bytes of a request's body at most, now. */
  maxBody(): number;
  /** The model's name, also while it is not ready. */
  readonly modelName: string;
  /** @returns null while no model is ready. */
  backend(): Backend | null;
  onError(message: string): void;
  /** Told of every exchange that has its receipt. */
  onExchange?(ended: Pick<Answered, "id" | "verdict">): void;
}

/** Names the policy that is to judge a request, where the configuration leaves the choice. */
export const POLICY_HEADER = "VEI-Policy";

type Request = Pick<
  Asked,
  "input" | "request" | "policyName" | "emit" | "deadline" | "echo" | "onProgress"
>;

/** What a request says outside of its body. */
interface Sent {
  signal: AbortSignal;
  policyName: string | null;
}

/** One exchange under way. */
interface Running {
  /** The receipt's id, once the intent is durable. */
  begun: Promise<string>;
  done: Promise<Answered>;
}

function run(parts: ChatParts, signal: AbortSignal, request: Request): Running {
  const begun = Promise.withResolvers<string>();
  const done = (async () => {
    using _slot = await parts.slots.acquire(signal);
    const backend = parts.backend();
    if (!backend) {
      throw new Problem(503, "not_ready", "The model is not ready yet", { retryAfter: 5 });
    }
    return await exchange(parts.node, {
      ...request,
      ...backend,
      signal,
      onBegin: begun.resolve,
      onEnd: parts.onExchange,
    });
  })();
  done.catch(begun.reject);
  begun.promise.catch(() => {});
  return { begun: begun.promise, done };
}

/** What our answers say besides the content. */
function vei({ id, verdict }: Pick<Answered, "id" | "verdict">) {
  return { receipt: id, verdict };
}

function finishReason(verdict: Verdict): "stop" | "length" | "content_filter" {
  if (verdict.outcome !== "completed") return "content_filter";
  return verdict.finish === "stop" ? "stop" : "length";
}

/** @throws Problem where the exchange gave no answer. */
function requireAnswer({ id, verdict }: Answered): void {
  if (verdict.outcome === "interrupted") {
    throw new Problem(502, "interrupted", "The model's answer broke off", { receipt: id });
  }
  if (verdict.outcome === "refused" && verdict.rule === POLICY_LIMIT) {
    const message = `The header ${POLICY_HEADER} names no policy that requests may choose; ` +
      "/api/status lists those";
    throw new Problem(403, "policy_not_allowed", message, { receipt: id });
  }
  if (verdict.outcome === "refused") {
    const where = `rule ${verdict.rule}, byte ${verdict.offset}`;
    throw new Problem(400, "policy_refused", `The policy refuses the prompt: ${where}`, {
      receipt: id,
    });
  }
}

/** Adds the routes that ask the model. */
export function addChatRoutes(app: Hono, parts: ChatParts): void {
  const answer = async (c: Context, body: () => Promise<Response>): Promise<Response> => {
    try {
      return await body();
    } catch (cause) {
      const problem = problemOf(cause);
      if (problem.status >= 500) parts.onError(`${c.req.path}: ${explain(cause)}`);
      return problem.response();
    }
  };
  app.get("/v1/models", (c) => {
    const id = parts.modelName;
    return c.json({ object: "list", data: [{ id, object: "model", created: 0, owned_by: "vei" }] });
  });
  app.post("/v1/chat/completions", (c) =>
    answer(c, async () => {
      const body = await readJson(c.req.raw, parts.maxBody());
      const parsed = parseChat(body, parts.modelName);
      const ask = parsed.stream ? streamed : whole;
      return await ask(parts, body, parsed, sentOf(c.req.raw));
    }));
  app.post("/api/generate", (c) =>
    answer(c, async () => {
      const body = await readJson(c.req.raw, parts.maxBody());
      return await generate(parts, body, sentOf(c.req.raw));
    }));
}

function sentOf({ signal, headers }: globalThis.Request): Sent {
  return { signal, policyName: headers.get(POLICY_HEADER) };
}

async function whole(
  parts: ChatParts,
  input: unknown,
  { request }: ParsedChat,
  { signal, policyName }: Sent,
): Promise<Response> {
  let text = "";
  const emit = (piece: string) => void (text += piece);
  const answered = await run(parts, signal, { input, request, policyName, emit }).done;
  requireAnswer(answered);
  return Response.json({
    id: `chatcmpl-${answered.id}`,
    object: "chat.completion",
    created: Math.floor(parts.node.now().getTime() / 1000),
    model: parts.modelName,
    choices: [{
      index: 0,
      message: { role: "assistant", content: text, refusal: null },
      logprobs: null,
      finish_reason: finishReason(answered.verdict),
    }],
    usage: usageOf(answered),
    vei: vei(answered),
  }, { headers: { "VEI-Receipt": answered.id } });
}

/** Our own count: content events. The prompt's tokens are not ours to count. */
function usageOf({ tokens }: Answered) {
  return { prompt_tokens: 0, completion_tokens: tokens, total_tokens: tokens };
}

async function streamed(
  parts: ChatParts,
  input: unknown,
  { request, includeUsage }: ParsedChat,
  { signal, policyName }: Sent,
): Promise<Response> {
  const encoder = new TextEncoder();
  // Room for one piece: the model is asked for more when the client has taken what there was.
  const pipe = new TransformStream<Uint8Array, Uint8Array>({}, { highWaterMark: 1 });
  const writer = pipe.writable.getWriter();
  const gone = new AbortController();
  writer.closed.catch(() => gone.abort());
  const send = (line: string) => writer.write(encoder.encode(line));
  const { begun, done } = run(parts, AbortSignal.any([signal, gone.signal]), {
    input,
    request,
    policyName,
    emit: (content) => send(chunk({ content }, null)),
    // A comment tells a person how far the prompt has been read; clients pass over it.
    onProgress: (processed, total) =>
      void send(`: reading ${processed}/${total}\n\n`).catch(() => {}),
  });
  let id = "";
  const created = Math.floor(parts.node.now().getTime() / 1000);
  const chunk = (delta: Record<string, string>, finish: string | null, more = {}) =>
    `data: ${
      JSON.stringify({
        id: `chatcmpl-${id}`,
        object: "chat.completion.chunk",
        created,
        model: parts.modelName,
        choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
        ...more,
      })
    }\n\n`;
  const end = async () => {
    try {
      const answered = await done;
      requireAnswer(answered);
      await send(chunk({}, finishReason(answered.verdict), { vei: vei(answered) }));
      if (includeUsage) {
        const usage = JSON.stringify({
          ...{ id: `chatcmpl-${id}`, object: "chat.completion.chunk", created },
          ...{ model: parts.modelName, choices: [], usage: usageOf(answered) },
        });
        await send(`data: ${usage}\n\n`);
      }
      await send("data: [DONE]\n\n");
    } catch (cause) {
      if (!gone.signal.aborted) parts.onError(`stream of ${id}: ${explain(cause)}`);
      const { error } = await problemOf(cause, id).response().json();
      await send(`data: ${JSON.stringify({ error })}\n\n`).catch(() => {});
    } finally {
      await writer.close().catch(() => {});
    }
  };
  // What is refused has no stream: it ends before it begins.
  id = await Promise.race([begun, done.then(requireAnswer).then(() => begun)]);
  void send(chunk({ role: "assistant", content: "" }, null)).catch(() => {});
  void end();
  return new Response(pipe.readable, {
    headers: { "Content-Type": "text/event-stream; charset=utf-8", "VEI-Receipt": id },
  });
}

/** Bare text, as long as the caller waits (the form of the LAGI project). */
async function generate(
  parts: ChatParts,
  input: unknown,
  { signal, policyName }: Sent,
): Promise<Response> {
  const { prompt, waitSeconds } = parseGenerate(input);
  let text = "";
  const answered = await run(parts, signal, {
    input,
    request: { prompt, maxTokens: 4096, temperature: 0, seed: 0 },
    policyName,
    echo: prompt,
    deadline: AbortSignal.timeout(waitSeconds * 1000),
    emit: (piece) => void (text += piece),
  }).done;
  requireAnswer(answered);
  return Response.json({ prompt, response: text, vei: vei(answered) }, {
    headers: { "VEI-Receipt": answered.id },
  });
}
