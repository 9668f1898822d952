import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Hono } from "hono";
import { enclaveModel } from "../model/enclave.ts";
import { mockModel } from "../model/mock.ts";
import type { Model } from "../model/model.ts";
import { seal } from "../receipt/dsse.ts";
import { signingKey } from "../receipt/keys.ts";
import type { Receipt } from "../receipt/statement.ts";
import { verifyReceipt } from "../receipt/verify.ts";
import { ReceiptStore } from "../store/receipts.ts";
import { SAMPLE_SETTING } from "../../tests/tools/sample_receipt.ts";
import { createApp } from "./app.ts";
import { EventHub } from "./hub.ts";
import { compilePolicy } from "./policy.ts";
import { Slots } from "./slots.ts";
import type { Status } from "./status.ts";

const key = await signingKey(new Uint8Array(32).fill(1));
const policy = await compilePolicy(
  'name="p"\nversion="1"\ndescription="d"\n[[forbid]]\nid="hate"\nwords=["hate"]\nignore_case=true\n',
  "p.toml",
);

interface World {
  app: Hono;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  receipt(answer: Response): Promise<Receipt>;
}

async function withApp(
  model: Model | null,
  body: (world: World) => Promise<void>,
  queue = 4,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-chat-" });
  try {
    await using store = await ReceiptStore.open({ folder, sign: (bytes) => seal(bytes, key) });
    const app = createApp({
      hosts: ["localhost"],
      hub: new EventHub(),
      status: () => ({}) as Status,
      onError: () => {},
      chat: {
        node: {
          store,
          fingerprint: key.publicKey.fingerprint,
          policy,
          program: () => Promise.resolve(SAMPLE_SETTING.program),
          now: () => new Date(),
          random: (count) => crypto.getRandomValues(new Uint8Array(count)),
        },
        slots: new Slots(1, queue),
        maxBody: 10_000,
        modelName: "m",
        backend: () => model && { model, kernel: null },
        onError: () => {},
      },
    });
    interface Init {
      method?: string;
      headers?: Record<string, string>;
      body?: string;
    }
    const send = async (path: string, init: Init) =>
      await app.request(path, { ...init, headers: { host: "localhost", ...init.headers } });
    await body({
      app,
      post: (path, value, headers) =>
        send(path, {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
          body: typeof value === "string" ? value : JSON.stringify(value),
        }),
      async receipt(answer) {
        const id = answer.headers.get("vei-receipt")!;
        const envelope = await (await send(`/api/receipts/${id}`, {})).text();
        const verified = await verifyReceipt(envelope, [key.publicKey]);
        assertEquals(verified.result, "VALID");
        return (verified as { receipt: Receipt }).receipt;
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const says = (content: string, more = {}) => ({ messages: [{ role: "user", content }], ...more });

/** @returns the events' data, and the content that a client would show. */
async function events(answer: Response): Promise<{ data: string[]; content: string }> {
  const data = [...(await answer.text()).matchAll(/^data: (.*)$/gm)].map((match) => match[1]);
  const content = data.filter((one) => one.startsWith("{"))
    .map((one) => JSON.parse(one).choices?.[0]?.delta?.content ?? "").join("");
  return { data, content };
}

Deno.test("a completion in OpenAI's form, whole and streamed, each with its receipt", () =>
  withApp(mockModel(), async ({ post, receipt }) => {
    const whole = await post("/v1/chat/completions", says("Hello world"));
    const answer = await whole.json();
    assertEquals(answer.choices[0].message.content, "Hello world");
    assertEquals([answer.choices[0].finish_reason, answer.object], ["stop", "chat.completion"]);
    assertEquals(answer.usage.completion_tokens, 2);
    assertEquals(answer.vei.receipt, whole.headers.get("vei-receipt"));
    assertEquals((await receipt(whole)).verdict, { outcome: "completed", finish: "stop" });

    const streamed = await post("/v1/chat/completions", says("Hello world", { stream: true }));
    assertMatch(streamed.headers.get("content-type")!, /^text\/event-stream/);
    const { data, content } = await events(streamed);
    assertEquals([content, data.at(-1)], ["Hello world", "[DONE]"]);
    const last = JSON.parse(data.at(-2)!);
    assertEquals(last.choices[0].finish_reason, "stop");
    assertEquals(last.vei.receipt, streamed.headers.get("vei-receipt"));
    await receipt(streamed);
  }));

Deno.test("a violation ends the stream as content_filter, with rule, offset and receipt", () =>
  withApp(mockModel(), async ({ post, receipt }) => {
    const { data, content } = await events(
      await post("/v1/chat/completions", says("They all HATE it", { stream: true })),
    );
    assertEquals([content, data.at(-1)], ["They all ", "[DONE]"]);
    const last = JSON.parse(data.at(-2)!);
    assertEquals(last.choices[0].finish_reason, "content_filter");
    const verdict = { outcome: "aborted", by: "monitor", rule: "hate", offset: 12, start: 9 };
    assertEquals(last.vei.verdict, verdict);
    const whole = await post("/v1/chat/completions", says("They all HATE it"));
    const answer = await whole.json();
    assertEquals(answer.choices[0].message.content, "They all ");
    assertEquals(answer.choices[0].finish_reason, "content_filter");
    assertEquals((await receipt(whole)).verdict, verdict);
  }));

Deno.test("generate: the bare form; an echo that breaks the policy is refused, with a receipt", () =>
  withApp(mockModel(), async ({ post, receipt }) => {
    const good = await post("/api/generate", { prompt: "Once upon", wait_time: 5 });
    const { prompt, response } = await good.json();
    assertEquals([prompt, response], ["Once upon", "Once upon"]);
    const bad = await post("/api/generate", { prompt: "I hate" });
    const text = await bad.text();
    assertEquals([bad.status, JSON.parse(text).error.code], [400, "policy_refused"]);
    assertEquals(text.includes("hate it"), false);
    const verdict = { outcome: "refused", rule: "hate", offset: 5 } as const;
    assertEquals((await receipt(bad)).verdict, verdict);
  }));

const BAD: [what: string, body: unknown, status: number, says: string][] = [
  ["not JSON", "{", 400, "not_json"],
  ["not UTF-8 text of JSON", "\u0000", 400, "not_json"],
  ["an array", [], 400, "invalid_parameter"],
  ["no messages", { messages: [] }, 400, "messages"],
  ["a number for content", { messages: [{ role: "user", content: 3 }] }, 400, "messages.0.content"],
  ["an image", { messages: [{ role: "user", content: [{ type: "image_url" }] }] }, 400, "content"],
  ["an unknown role", { messages: [{ role: "tool", content: "x" }] }, 400, "role"],
  ["tools", says("x", { tools: [] }), 400, "tools is not supported"],
  ["two answers", says("x", { n: 2 }), 400, "The parameter n"],
  ["another model", says("x", { model: "gpt-4" }), 400, "model_not_found"],
  ["a negative count", says("x", { max_tokens: -1 }), 400, "max_tokens"],
  ["a body that is too large", says("x".repeat(20_000)), 413, "body_too_large"],
];

for (const [what, body, status, text] of BAD) {
  Deno.test(`refused without asking the model: ${what}`, () =>
    withApp(mockModel(), async ({ post }) => {
      const answer = await post("/v1/chat/completions", body);
      assertEquals(answer.status, status);
      assertStringIncludes(await answer.text(), text);
      assertEquals(answer.headers.get("vei-receipt"), null);
    }));
}

Deno.test("another content type is refused: it could come from another origin unasked", () =>
  withApp(mockModel(), async ({ post }) => {
    const answer = await post("/v1/chat/completions", says("x"), { "content-type": "text/plain" });
    assertEquals(answer.status, 415);
  }));

Deno.test("no model ready: 503 with Retry-After", () =>
  withApp(null, async ({ post }) => {
    const answer = await post("/v1/chat/completions", says("x", { stream: true }));
    assertEquals([answer.status, answer.headers.get("retry-after")], [503, "5"]);
  }));

/** A model that answers when it is told to. */
function held(): { model: Model; release(): void; started(): number } {
  const gate = Promise.withResolvers<void>();
  let started = 0;
  const echo = mockModel();
  return {
    started: () => started,
    release: () => gate.resolve(),
    model: {
      ...echo,
      async start(request, signal) {
        started++;
        await gate.promise;
        return await echo.start(request, signal);
      },
    },
  };
}

Deno.test("64 clients at once on one slot: some wait, the rest get 429 with Retry-After", () => {
  const { model, release, started } = held();
  return withApp(model, async ({ post }) => {
    const answers = Array.from({ length: 64 }, () => post("/v1/chat/completions", says("x")));
    let refused = 0;
    for (const answer of answers) void answer.then((one) => refused += one.status === 429 ? 1 : 0);
    while (refused < 59 || started() < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(started(), 1);
    release();
    const statuses = (await Promise.all(answers)).map((one) => one.status);
    assertEquals(statuses.filter((status) => status === 200).length, 5);
    assertEquals(statuses.filter((status) => status === 429).length, 59);
    const last = (await Promise.all(answers)).find((one) => one.status === 429)!;
    assertEquals(last.headers.get("retry-after"), "5");
  });
});

/** A model server over real TCP that answers each connection with the next of these byte strings. */
async function withServer(
  answers: Uint8Array[][],
  body: (model: Model) => Promise<void>,
): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const serving = (async () => {
    for (const pieces of answers) {
      using connection = await listener.accept();
      connection.setNoDelay(true);
      await connection.read(new Uint8Array(65_536));
      for (const piece of pieces) await connection.write(piece).catch(() => {});
    }
  })();
  await body(enclaveModel({
    name: "m",
    sha256: SAMPLE_SETTING.model.sha256!,
    host: `127.0.0.1:${port}`,
    idleMs: 200,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
  }));
  await serving;
}

function wire(chunks: unknown[], headers = ""): Uint8Array {
  const body = chunks.map((one) =>
    `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`
  );
  const framed = body.map((part) =>
    `${new TextEncoder().encode(part).length.toString(16)}\r\n${part}\r\n`
  );
  return new TextEncoder().encode(
    `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${headers}Transfer-Encoding: chunked\r\n\r\n` +
      framed.join("") + "0\r\n\r\n",
  );
}

const token = (content: string, more = {}) => ({
  choices: [{ index: 0, finish_reason: null, delta: { content }, ...more }],
});
const STOP = { choices: [{ index: 0, finish_reason: "stop", delta: {} }] };

Deno.test("a hostile server's word in every other field and header is delivered nowhere", async () => {
  const word = "hate";
  const hostile = {
    id: word,
    object: word,
    model: word,
    system_fingerprint: word,
    service_tier: word,
    timings: { [word]: word },
    usage: { prompt_tokens: word },
    [word]: word,
    choices: [{
      index: 0,
      finish_reason: null,
      logprobs: { content: [{ token: word }] },
      [word]: word,
      delta: {
        role: word,
        content: "fine",
        refusal: word,
        reasoning_content: word,
        name: word,
        tool_calls: [{ function: { name: word, arguments: word } }],
        [word]: word,
      },
    }],
  };
  const answer = wire(
    [hostile, STOP, "[DONE]"],
    `X-${word}: ${word}\r\nServer: ${word}\r\nSet-Cookie: a=${word}\r\n`,
  );
  const error = new TextEncoder().encode(
    `HTTP/1.1 400 ${word}\r\nX-A: ${word}\r\nContent-Length: 4\r\n\r\n${word}`,
  );
  await withServer(
    [[answer], [answer], [error], [error]],
    (model) =>
      withApp(model, async ({ post }) => {
        for (const stream of [false, true, false, true]) {
          const got = await post("/v1/chat/completions", says("x", { stream }));
          const all = [...got.headers].flat().join("\n") + await got.text();
          assertEquals(all.toLowerCase().includes(word), false, all);
        }
      }),
  );
});

Deno.test("a server that cuts at every place delivers the same, and never the word", async () => {
  const bytes = wire([token("I so h"), token("a"), token("te it, é"), STOP, "[DONE]"]);
  const good = wire([token("I so ha"), token("d it, é€😀"), STOP, "[DONE]"]);
  const cuts = Array.from({ length: Math.ceil(bytes.length / 3) }, (_, i) => 3 * i + 1);
  const cutGood = Array.from({ length: Math.ceil(good.length / 5) }, (_, i) => 5 * i + 2);
  const at = (whole: Uint8Array, cut: number) => [whole.subarray(0, cut), whole.subarray(cut)];
  const answers = [...cuts.map((cut) => at(bytes, cut)), ...cutGood.map((cut) => at(good, cut))];
  await withServer(answers, (model) =>
    withApp(model, async ({ post }) => {
      for (let i = 0; i < answers.length; i++) {
        const got = await post("/v1/chat/completions", says("x", { stream: true }));
        const { content } = await events(got);
        assertEquals(content, i < cuts.length ? "I so " : "I so had it, é€😀");
      }
    }));
});

Deno.test("garbage, an early end, a wrong type: an error in the stream, and an honest receipt", async () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  const early = wire([token("half of")]).slice(0, -5);
  const answers = [
    encode("garbage\r\n\r\n"),
    early,
    encode(""),
    wire([token("x")]),
    wire([{ a: 1 }]),
  ];
  await withServer(
    answers.map((one) => [one]),
    (model) =>
      withApp(model, async ({ post, receipt }) => {
        for (let i = 0; i < answers.length; i++) {
          const got = await post("/v1/chat/completions", says("x", { stream: true }));
          const { data } = await events(got.clone());
          assertStringIncludes(data.at(-1)!, '"error"');
          assertEquals(data.includes("[DONE]"), false);
          assertEquals((await receipt(got)).verdict.outcome, "interrupted");
        }
      }),
  );
});

Deno.test("a client that goes away cancels the run; its receipt says so", async () => {
  const cancelled = Promise.withResolvers<void>();
  const model: Model = {
    ...mockModel(),
    start: (_, signal) => {
      signal.addEventListener("abort", () => cancelled.resolve());
      return Promise.resolve({
        port: null,
        deltas: (async function* () {
          for (;;) {
            signal.throwIfAborted();
            yield { kind: "text" as const, text: "la " };
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        })(),
      });
    },
  };
  await withApp(model, async ({ post, receipt, app }) => {
    const got = await post("/v1/chat/completions", says("x", { stream: true }));
    const reader = got.body!.getReader();
    await reader.read();
    await reader.cancel();
    await cancelled.promise;
    for (;;) {
      const list = await (await app.request("/api/receipts", { headers: { host: "localhost" } }))
        .json();
      if (list.receipts.length === 1) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const { verdict } = await receipt(got);
    assertEquals(verdict, { outcome: "interrupted", why: "the client went away" });
  });
});

Deno.test("a server that falls silent: the stream ends with an error after the idle time", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const accepted = listener.accept();
  const model = enclaveModel({
    name: "m",
    sha256: SAMPLE_SETTING.model.sha256!,
    host: "127.0.0.1",
    idleMs: 100,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
  });
  await withApp(model, async ({ post, receipt }) => {
    const got = await post("/v1/chat/completions", says("x", { stream: true }));
    const { data } = await events(got.clone());
    assertStringIncludes(data.at(-1)!, '"error"');
    assertMatch((await receipt(got)).verdict.outcome, /interrupted/);
  });
  (await accepted).close();
});
