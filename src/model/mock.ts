/**
 * A model that says back what it was told, word by word: for trying out policies and clients. It
 * cannot be reached without naming it, and receipts name it.
 */
import type { Delta } from "../lens/chat_chunk.ts";
import type { ChatRequest, Model } from "./model.ts";

async function* echo(request: ChatRequest, signal: AbortSignal): AsyncGenerator<Delta> {
  const { prompt } = request;
  const said = typeof prompt === "string"
    ? prompt
    : prompt.findLast((message) => message.role === "user")?.content ?? "";
  const tokens = said.match(/\s*\S+|\s+$/g) ?? [];
  for (const token of tokens.slice(0, request.maxTokens)) {
    signal.throwIfAborted();
    yield { kind: "text", text: token };
    await Promise.resolve();
  }
  yield { kind: "finish", reason: tokens.length > request.maxTokens ? "length" : "stop" };
}

/** @returns the mock model. */
export function mockModel(): Model {
  return {
    kind: "mock",
    name: "mock",
    sha256: null,
    start: (request, signal) => Promise.resolve({ port: null, deltas: echo(request, signal) }),
  };
}
