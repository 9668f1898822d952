/**
 * What the whole path adds to each token: HTTP, the API, the monitor and its 120 rules, JSON, the
 * receipt's bookkeeping. 100 clients in this process ask the daemon's own API, in this process too,
 * and a model says 50 tokens a second to each. Time is from the model's saying a token to a client's
 * having read it.
 */
import { createApp } from "../../src/api/app.ts";
import { EventHub } from "../../src/api/hub.ts";
import { compilePolicy } from "../../src/api/policy.ts";
import { Slots } from "../../src/api/slots.ts";
import type { Status } from "../../src/api/status.ts";
import type { Delta } from "../../src/lens/chat_chunk.ts";
import type { ChatRequest, Model } from "../../src/model/model.ts";
import { seal } from "../../src/receipt/dsse.ts";
import { signingKey } from "../../src/receipt/keys.ts";
import { ReceiptStore } from "../../src/store/receipts.ts";
import { manyRules } from "../tools/many_rules.ts";
import { SAMPLE_SETTING } from "../tools/sample_receipt.ts";

const STREAMS = 100;
const TOKENS = 150;
const EVERY_MS = 20;

/** When each token was said, by the stream's number and its own. */
const said = Array.from({ length: STREAMS }, () => new Float64Array(TOKENS));
const delays: number[] = [];

/** Says numbers, 50 a second; the prompt is the stream's number. */
async function* speak({ prompt }: ChatRequest, signal: AbortSignal): AsyncGenerator<Delta> {
  const stream = Number(typeof prompt === "string" ? prompt : prompt[0].content);
  const begun = performance.now() + stream * EVERY_MS / STREAMS;
  for (let i = 0; i < TOKENS; i++) {
    const wait = begun + i * EVERY_MS - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    signal.throwIfAborted();
    said[stream][i] = performance.now();
    yield { kind: "text", text: ` ${i}` };
  }
  yield { kind: "finish", reason: "stop" };
}

const model: Model = {
  kind: "mock",
  name: "clock",
  sha256: null,
  start: (request, signal) => Promise.resolve({ port: null, deltas: speak(request, signal) }),
};

async function client(url: string, stream: number): Promise<void> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      messages: [{ role: "user", content: `${stream}` }],
      stream: true,
      max_tokens: TOKENS + 1,
    }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  let rest = "";
  let read = 0;
  for await (const text of answer.body!.pipeThrough(new TextDecoderStream())) {
    const now = performance.now();
    const lines = (rest + text).split("\n\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (!line.startsWith("data: {")) continue;
      const content: string = JSON.parse(line.slice(6)).choices?.[0]?.delta?.content ?? "";
      for (const token of content.split(" ").slice(1)) {
        delays.push(now - said[stream][Number(token)]);
        read++;
      }
    }
  }
  if (read !== TOKENS) throw new Error(`stream ${stream}: ${read} of ${TOKENS} tokens`);
}

const folder = await Deno.makeTempDir({ prefix: "vei-bench-" });
try {
  const key = await signingKey(new Uint8Array(32).fill(1));
  await using store = await ReceiptStore.open({ folder, sign: (bytes) => seal(bytes, key) });
  const app = createApp({
    hosts: () => ["127.0.0.1"],
    hub: new EventHub(),
    status: () => ({}) as Status,
    onError: console.error,
    chat: {
      node: {
        store,
        fingerprint: key.publicKey.fingerprint,
        policy: await compilePolicy(manyRules(100, 20), "many.toml"),
        allowed: [],
        program: () => Promise.resolve(SAMPLE_SETTING.program),
        now: () => new Date(),
        random: (count) => crypto.getRandomValues(new Uint8Array(count)),
      },
      slots: new Slots(STREAMS, 0),
      maxBody: () => 10_000,
      modelName: "clock",
      backend: () => ({ model, kernel: null }),
      onError: console.error,
    },
  });
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await using server = Deno.serve(options, app.fetch);
  const url = `http://127.0.0.1:${server.addr.port}`;
  for (let round = 1; round <= 3; round++) {
    delays.length = 0;
    await Promise.all(said.map((_, stream) => client(url, stream)));
    const sorted = Float64Array.from(delays).sort();
    const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)].toFixed(2);
    console.log(
      `${STREAMS} streams of ${1000 / EVERY_MS} tokens a second, 120 rules, round ${round}: ` +
        `from the model to the client p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)} ms`,
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
