/**
 * Any server with an OpenAI-compatible chat API. It is as untrusted as the enclave's, and there is
 * no kernel gate in front of it: receipts say so.
 */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { type Delta, readChunk } from "../lens/chat_chunk.ts";
import { malformed } from "../lens/http1.ts";
import { EventReader } from "../lens/sse.ts";
import type { ChatRequest, Model } from "./model.ts";

function unreachable(url: string, why: string, cause?: unknown): VeiError {
  return new VeiError({
    code: "model-unreachable",
    message: `The model at ${url} does not answer: ${why}`,
    hint: "look at the address; a redirect or a compressed answer is refused on purpose",
    exit: Exit.unavailable,
    cause,
  });
}

async function* read(answer: Response): AsyncGenerator<Delta> {
  const events = new EventReader();
  let ended = false;
  for await (const bytes of answer.body!) {
    for (const data of events.push(bytes)) {
      if (ended) throw malformed("an event after the last");
      if (data === "[DONE]") ended = true;
      else yield* readChunk(data);
    }
  }
  events.end();
}

/**
 * @param base e.g. `http://127.0.0.1:8000/v1`; `/chat/completions` is added.
 * @param name the model's name as that server knows it.
 * @throws VeiError `model-url` unless it is http or https without user and password.
 */
export function urlModel(base: string, name: string): Model {
  const url = parse(base);
  return {
    kind: "url",
    name,
    sha256: null,
    async start(request: ChatRequest, signal: AbortSignal) {
      if (typeof request.prompt === "string") {
        throw unreachable(url.href, "it takes conversations only, not bare text");
      }
      let answer: Response;
      try {
        answer = await fetch(url, {
          method: "POST",
          redirect: "error",
          headers: { "content-type": "application/json", "accept-encoding": "identity" },
          body: JSON.stringify({
            model: name,
            messages: request.prompt,
            max_tokens: request.maxTokens,
            temperature: request.temperature,
            seed: request.seed,
            stream: true,
          }),
          signal,
        });
      } catch (cause) {
        throw unreachable(url.href, messageOf(cause), cause);
      }
      const encoding = answer.headers.get("content-encoding");
      const type = answer.headers.get("content-type")?.split(";")[0];
      const why = !answer.ok
        ? `status ${answer.status}`
        : encoding !== null
        ? `its answer is compressed`
        : type !== "text/event-stream"
        ? `its answer is not an event stream`
        : null;
      if (why === null) return { port: null, deltas: read(answer) };
      await answer.body?.cancel();
      throw unreachable(url.href, why);
    },
  };
}

function parse(base: string): URL {
  const url = URL.parse(`${base.replace(/\/+$/, "")}/chat/completions`);
  const good = url !== null && /^https?:$/.test(url.protocol) && url.username === "" &&
    url.password === "";
  if (good) return url;
  throw new VeiError({
    code: "model-url",
    message: `${JSON.stringify(base)} is not a model's address`,
    hint: "write for example --model http://127.0.0.1:8000/v1",
    exit: Exit.usage,
  });
}
