/** The API in one process, before a model of the test's own, with a store in a temporary folder. */
import { assertEquals } from "@std/assert";
import type { Hono } from "hono";
import type { Model } from "../../src/model/model.ts";
import { seal } from "../../src/receipt/dsse.ts";
import { signingKey } from "../../src/receipt/keys.ts";
import type { Receipt } from "../../src/receipt/statement.ts";
import { verifyReceipt } from "../../src/receipt/verify.ts";
import { ReceiptStore } from "../../src/store/receipts.ts";
import { SAMPLE_SETTING } from "./sample_receipt.ts";
import { createApp } from "../../src/api/app.ts";
import { EventHub } from "../../src/api/hub.ts";
import { compilePolicy } from "../../src/api/policy.ts";
import { Slots } from "../../src/api/slots.ts";
import type { Status } from "../../src/api/status.ts";

const key = await signingKey(new Uint8Array(32).fill(1));
const policy = await compilePolicy(
  'name="p"\nversion="1"\ndescription="d"\n[[forbid]]\nid="hate"\nwords=["hate"]\nignore_case=true\n',
  "p.toml",
);

/** Requests may choose it. */
const pearless = await compilePolicy(
  'name="pearless"\nversion="1"\ndescription="d"\n' +
    '[[forbid]]\nid="pear"\nwords=["pear"]\n' +
    '[[forbid]]\nid="asked"\nwords=["quince"]\napplies_to=["input"]\n',
  "pearless.toml",
);

export interface World {
  app: Hono;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  receipt(answer: Response): Promise<Receipt>;
}

export async function withApp(
  model: Model | null,
  body: (world: World) => Promise<void>,
  queue = 4,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-chat-" });
  try {
    await using store = await ReceiptStore.open({ folder, sign: (bytes) => seal(bytes, key) });
    const app = createApp({
      hosts: () => ["localhost"],
      hub: new EventHub(),
      status: () => ({}) as Status,
      onError: () => {},
      chat: {
        node: {
          store,
          fingerprint: key.publicKey.fingerprint,
          policy,
          allowed: [pearless],
          program: () => Promise.resolve(SAMPLE_SETTING.program),
          now: () => new Date(),
          random: (count) => crypto.getRandomValues(new Uint8Array(count)),
        },
        slots: new Slots(1, queue),
        maxBody: () => 10_000,
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

/** @returns a chat request of one message. */
export const says = (content: string, more = {}) => ({
  messages: [{ role: "user", content }],
  ...more,
});

/** @returns the events' data, and the content that a client would show. */
export async function events(answer: Response): Promise<{ data: string[]; content: string }> {
  const data = [...(await answer.text()).matchAll(/^data: (.*)$/gm)].map((match) => match[1]);
  const content = data.filter((one) => one.startsWith("{"))
    .map((one) => JSON.parse(one).choices?.[0]?.delta?.content ?? "").join("");
  return { data, content };
}
