import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { sha256 } from "../base/bytes.ts";
import { VeiError } from "../base/errors.ts";
import type { Delta } from "../lens/chat_chunk.ts";
import { mockModel } from "../model/mock.ts";
import type { Model } from "../model/model.ts";
import { seal } from "../receipt/dsse.ts";
import { signingKey } from "../receipt/keys.ts";
import type { Receipt } from "../receipt/statement.ts";
import { verifyReceipt } from "../receipt/verify.ts";
import { ReceiptStore } from "../store/receipts.ts";
import { SAMPLE_SETTING } from "../../tests/tools/sample_receipt.ts";
import {
  type Asked,
  exchange,
  type KernelDrop,
  type KernelGate,
  type Node,
  settleInterrupted,
} from "./exchange.ts";
import { compilePolicy } from "./policy.ts";

const key = await signingKey(new Uint8Array(32).fill(1));
const policy = await compilePolicy(
  'name="p"\nversion="1"\ndescription="d"\n[[forbid]]\nid="hate"\nwords=["hate"]\nignore_case=true\n',
  "p.toml",
);

async function withNode(body: (node: Node, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-exchange-" });
  try {
    await using store = await ReceiptStore.open({ folder, sign: (bytes) => seal(bytes, key) });
    let ms = Date.UTC(2026, 0, 1);
    await body({
      store,
      fingerprint: key.publicKey.fingerprint,
      policy,
      allowed: [],
      program: () => Promise.resolve(SAMPLE_SETTING.program),
      now: () => new Date(ms++),
      random: (count) => new Uint8Array(count),
    }, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function asking(prompt: string, more: Partial<Asked> = {}): { asked: Asked; texts: string[] } {
  const texts: string[] = [];
  const messages = [{ role: "user" as const, content: prompt }];
  return {
    texts,
    asked: {
      input: { messages },
      request: { prompt: messages, maxTokens: 100, temperature: 0, seed: 0 },
      model: mockModel(),
      kernel: null,
      signal: new AbortController().signal,
      emit: (text) => void texts.push(text),
      ...more,
    },
  };
}

async function valid(text: string): Promise<Receipt> {
  const answer = await verifyReceipt(text, [key.publicKey]);
  assertEquals(answer.result, "VALID");
  return (answer as { receipt: Receipt }).receipt;
}

/** A model whose run goes on until it is cancelled. */
function endless(log: string[], port: number | null): Model {
  async function* deltas(signal: AbortSignal): AsyncGenerator<Delta> {
    for (;;) {
      if (signal.aborted) return void log.push("cancelled");
      yield { kind: "text", text: "la " };
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  return {
    kind: "enclave",
    name: "endless",
    sha256: SAMPLE_SETTING.model.sha256,
    start: (_, signal) => Promise.resolve({ port, deltas: deltas(signal) }),
  };
}

Deno.test("a completed exchange: the output's digest is that of what was released", () =>
  withNode(async (node) => {
    const { asked, texts } = asking("Hello, é world");
    const { receipt, verdict, id } = await exchange(node, asked);
    const said = await valid(receipt);
    const bytes = new TextEncoder().encode(texts.join(""));
    assertEquals(texts.join(""), "Hello, é world");
    assertEquals(said.output, { sha256: await sha256(bytes), bytes: bytes.length });
    assertEquals([said.id, said.verdict], [id, verdict]);
    assertEquals(verdict, { outcome: "completed", finish: "stop" });
    assertEquals(said.lacks.length, 3);
  }));

Deno.test("equal requests have equal proof ids, and different receipts", () =>
  withNode(async (node) => {
    const run = async (prompt: string) =>
      await valid((await exchange(node, asking(prompt).asked)).receipt);
    const [a, b, c] = [await run("same"), await run("same"), await run("other")];
    assertEquals(a.proof_id, b.proof_id);
    assertEquals(a.proof_id === c.proof_id || a.id === b.id, false);
    assertEquals([a.sequence, b.sequence, c.sequence], [1, 2, 3]);
  }));

Deno.test("the monitor aborts: no byte of the match is released, and the receipt says where", () =>
  withNode(async (node) => {
    const { asked, texts } = asking("They all HATE it");
    const { verdict, receipt } = await exchange(node, asked);
    assertEquals(texts.join(""), "They all ");
    const wanted = {
      outcome: "aborted",
      by: "monitor",
      rule: "hate",
      offset: 12,
      start: 9,
    } as const;
    assertEquals(verdict, wanted);
    assertEquals((await valid(receipt)).output?.bytes, 9);
  }));

Deno.test("a kernel drop on the request's flow ends it at once and is in the receipt", () =>
  withNode(async (node) => {
    const log: string[] = [];
    const stopped = Promise.withResolvers<KernelDrop>();
    const drop: KernelDrop = {
      reason: "predicate",
      offset: 78,
      tcp_sequence: 5,
      payload_bytes: 100,
      retransmissions: 2,
    };
    let watched = 0;
    let passed = 3;
    const kernel: KernelGate = {
      diode: SAMPLE_SETTING.diode!,
      enclave: SAMPLE_SETTING.enclave!,
      replacedBy: () => [],
      linkId: 7,
      programId: 8,
      counters: () => ({ pass: passed++ }),
      watch(port) {
        watched = port;
        return {
          stopped: stopped.promise,
          drops: () => [drop],
          [Symbol.dispose]: () => void log.push("unwatched"),
        };
      },
    };
    const { asked, texts } = asking("x", { model: endless(log, 4242), kernel });
    const running = exchange(node, asked);
    while (texts.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    stopped.resolve(drop);
    const { verdict, receipt } = await running;
    const released = texts.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals([texts.length, watched, log.toSorted()], [released, 4242, [
      "cancelled",
      "unwatched",
    ]]);
    assertEquals(verdict, {
      outcome: "aborted",
      by: "kernel",
      rule: "predicate",
      offset: 78,
      start: null,
    });
    const said = await valid(receipt);
    assertEquals(said.kernel, {
      link_id: 7,
      program_id: 8,
      counters_before: { pass: 3 },
      counters_after: { pass: 4 },
      flow: null,
      drops: [drop],
    });
    assertEquals(said.lacks, []);
  }));

Deno.test("a client that goes away cancels the model's run and leaves an interrupted receipt", () =>
  withNode(async (node) => {
    const log: string[] = [];
    const gone = new AbortController();
    const { asked, texts } = asking("x", { model: endless(log, null), signal: gone.signal });
    const running = exchange(node, asked);
    while (texts.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    gone.abort();
    const { verdict } = await running;
    assertEquals(verdict, { outcome: "interrupted", why: "the client went away" });
    while (log.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(log, ["cancelled"]);
  }));

Deno.test("a model that cannot be reached: an error for the caller, and a receipt all the same", () =>
  withNode(async (node) => {
    const model: Model = {
      ...mockModel(),
      start: () => Promise.reject(new Error("no route")),
    };
    await assertRejects(() => exchange(node, asking("x", { model }).asked), Error, "no route");
    assertEquals(node.store.unfinished, []);
    const said = await valid((await node.store.get((await node.store.latest(1))[0]))!);
    assertEquals(said.verdict, { outcome: "interrupted", why: "no route" });
  }));

Deno.test("after a crash each open intent gets exactly one interrupted receipt", () =>
  withNode(async (node) => {
    const begun = Promise.withResolvers<void>();
    const { asked } = asking("x", { model: endless([], null), onBegin: () => begun.resolve() });
    const gone = new AbortController();
    const running = exchange(node, { ...asked, signal: gone.signal });
    await begun.promise;
    // What a new process would find in the log at this moment:
    assertEquals(await settleInterrupted(node), 1);
    assertEquals(await settleInterrupted(node), 0);
    gone.abort();
    await assertRejects(() => running, TypeError, "no open intent");
    const said = await valid((await node.store.get((await node.store.latest(1))[0]))!);
    assertEquals([said.verdict.outcome, said.output], ["interrupted", null]);
  }));

Deno.test("a full disk: nothing is sent to the model without a durable intent", () =>
  withNode(async (node) => {
    let started = false;
    const model: Model = {
      ...mockModel(),
      start: () => {
        started = true;
        throw new Error("unreachable");
      },
    };
    const full = Object.create(node.store) as ReceiptStore;
    full.begin = () =>
      Promise.reject(new VeiError({ code: "log-unwritable", message: "full", exit: 74 }));
    const error = await assertRejects(
      () => exchange({ ...node, store: full }, asking("x", { model }).asked),
      VeiError,
    );
    assertStringIncludes((error as VeiError).code, "log-unwritable");
    assertEquals(started, false);
  }));
