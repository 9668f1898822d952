/** The official OpenAI client, unchanged, against the daemon. */
import { assertEquals } from "@std/assert";
import OpenAI from "openai";
import { createApp } from "../../src/api/app.ts";
import { EventHub } from "../../src/api/hub.ts";
import { compilePolicy } from "../../src/api/policy.ts";
import { Slots } from "../../src/api/slots.ts";
import type { Status } from "../../src/api/status.ts";
import { mockModel } from "../../src/model/mock.ts";
import { seal } from "../../src/receipt/dsse.ts";
import { signingKey } from "../../src/receipt/keys.ts";
import { ReceiptStore } from "../../src/store/receipts.ts";
import { shippedPolicy } from "../../diodes/shipped.ts";
import { SAMPLE_SETTING } from "../tools/sample_receipt.ts";

const user = (content: string) => [{ role: "user" as const, content }];

async function withClient(body: (client: OpenAI) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-openai-" });
  const stop = new AbortController();
  try {
    const key = await signingKey(new Uint8Array(32).fill(1));
    await using store = await ReceiptStore.open({ folder, sign: (bytes) => seal(bytes, key) });
    const app = createApp({
      hosts: () => ["127.0.0.1"],
      hub: new EventHub(),
      status: () => ({}) as Status,
      onError: () => {},
      chat: {
        node: {
          store,
          fingerprint: key.publicKey.fingerprint,
          policy: await compilePolicy(shippedPolicy("hateless"), "hateless.toml"),
          allowed: [await compilePolicy(shippedPolicy("printable"), "printable.toml")],
          program: () => Promise.resolve(SAMPLE_SETTING.program),
          now: () => new Date(),
          random: (count) => crypto.getRandomValues(new Uint8Array(count)),
        },
        slots: new Slots(1, 4),
        maxBody: () => 100_000,
        modelName: "mock",
        backend: () => ({ model: mockModel(), kernel: null }),
        onError: () => {},
      },
    });
    const options = { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: () => {} };
    const server = Deno.serve(options, app.fetch);
    const baseURL = `http://127.0.0.1:${server.addr.port}/v1`;
    await body(new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 }));
    stop.abort();
    await server.finished;
  } finally {
    stop.abort();
    await Deno.remove(folder, { recursive: true });
  }
}

// The client keeps its connections open until the server ends.
const options = { sanitizeResources: false, sanitizeOps: false };

Deno.test("models, a whole answer and its usage", options, () =>
  withClient(async (client) => {
    const models = await client.models.list();
    assertEquals(models.data.map((model) => model.id), ["mock"]);
    const answer = await client.chat.completions.create({
      model: "mock",
      messages: user("Hello there"),
      max_tokens: 10,
    });
    assertEquals(answer.choices[0].message.content, "Hello there");
    assertEquals([answer.choices[0].finish_reason, answer.usage?.completion_tokens], ["stop", 2]);
  }));

Deno.test(
  "a streamed answer, stopped by the monitor as content_filter",
  options,
  () =>
    withClient(async (client) => {
      const stream = await client.chat.completions.create({
        model: "mock",
        messages: user("They all HATE it"),
        stream: true,
        stream_options: { include_usage: true },
      });
      let text = "";
      const finishes: unknown[] = [];
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        if (chunk.choices[0]?.finish_reason) finishes.push(chunk.choices[0].finish_reason);
      }
      assertEquals([text, finishes], ["They all ", ["content_filter"]]);
    }),
);

Deno.test(
  "an error has the status and code that the client expects",
  options,
  () =>
    withClient(async (client) => {
      const wrong = client.chat.completions.create({ model: "gpt-4", messages: user("x") });
      const error = await wrong.then(() => null, (cause) => cause);
      assertEquals(error instanceof OpenAI.BadRequestError, true);
      assertEquals([error.status, error.code, error.param], [400, "model_not_found", "model"]);
    }),
);

Deno.test(
  "a default header chooses the policy; one that may not be chosen is a PermissionDeniedError",
  options,
  () =>
    withClient(async (client) => {
      const asked = (name: string) =>
        client.withOptions({ defaultHeaders: { "VEI-Policy": name } }).chat.completions.create({
          model: "mock",
          messages: user("They all HATE a café"),
        });
      const { choices: [usual] } = await asked("hateless");
      assertEquals([usual.message.content, usual.finish_reason], ["They all ", "content_filter"]);
      const { choices: [chosen] } = await asked("printable");
      assertEquals(chosen.message.content, "They all HATE a caf");
      const error = await asked("open").then(() => null, (cause) => cause);
      assertEquals(error instanceof OpenAI.PermissionDeniedError, true);
      assertEquals([error.status, error.code], [403, "policy_not_allowed"]);
    }),
);
