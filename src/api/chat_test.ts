import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mockModel } from "../model/mock.ts";
import type { Model } from "../model/model.ts";
import { events, says, withApp } from "../../tests/tools/chat_world.ts";

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

Deno.test("a body that comes too slowly is given up", async () => {
  const { readJson } = await import("./problems.ts");
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
  });
  const headers = { "content-type": "application/json" };
  const request = new Request("http://localhost/", { method: "POST", body, headers });
  const problem = await readJson(request, 1000, 50).then(() => null, (cause) => cause);
  assertEquals([problem.status, problem.code], [408, "body_too_slow"]);
});
