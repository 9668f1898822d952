import { assertEquals, assertRejects } from "@std/assert";
import { VeiError } from "../base/errors.ts";
import { seal } from "../receipt/dsse.ts";
import { signingKey } from "../receipt/keys.ts";
import type { Receipt } from "../receipt/statement.ts";
import { verifyReceipt } from "../receipt/verify.ts";
import { sampleReceipt } from "../../tests/tools/sample_receipt.ts";
import { type Intent, type Outcome, ReceiptStore } from "./receipts.ts";

const key = await signingKey(new Uint8Array(32).fill(1));

const openStore = (folder: string) =>
  ReceiptStore.open({ folder, sign: (payload) => seal(payload, key) });

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-store-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function parts(n: number): Promise<{ intent: Intent; outcome: Outcome }> {
  const receipt = await sampleReceipt(key.publicKey.fingerprint, n);
  const { sequence: _, time, output, verdict, kernel, ...fixed } = receipt;
  const { counters_after: _a, drops: _d, ...before } = kernel!;
  return {
    intent: { ...fixed, start: time.start, kernel: before },
    outcome: { time, output, verdict, kernel },
  };
}

async function valid(text: string | null): Promise<Receipt> {
  const answer = await verifyReceipt(text!, [key.publicKey]);
  assertEquals(answer.result, "VALID");
  return (answer as { receipt: Receipt }).receipt;
}

Deno.test("each intent gets one receipt; they verify, are numbered without holes, and stay", () =>
  inFolder(async (folder) => {
    const ids: string[] = [];
    {
      await using store = await openStore(folder);
      const all = await Promise.all(Array.from({ length: 20 }, (_, n) => parts(n)));
      await Promise.all(all.map(({ intent }) => store.begin(intent)));
      const texts = await Promise.all(
        all.map(({ intent, outcome }) => store.finish(intent.id, outcome)),
      );
      for (const [n, text] of texts.entries()) assertEquals((await valid(text)).sequence, n + 1);
      ids.push(...all.map(({ intent }) => intent.id));
      await assertRejects(() => store.finish(ids[0], all[0].outcome), TypeError, "no open intent");
    }
    await using store = await openStore(folder);
    assertEquals(store.unfinished, []);
    assertEquals(await store.latest(100), ids.toReversed());
    assertEquals(await store.latest(3, 11), ids.slice(7, 10).toReversed());
    for (const id of ids) assertEquals((await valid(await store.get(id))).id, id);
    assertEquals(await store.get("none"), null);
  }));

Deno.test("an intent without a receipt is found at the next start, once", () =>
  inFolder(async (folder) => {
    const { intent, outcome } = await parts(1);
    {
      await using store = await openStore(folder);
      await store.begin(intent);
    }
    for (const wanted of [1, 0]) {
      await using store = await openStore(folder);
      assertEquals(store.unfinished.length, wanted);
      for (const one of store.unfinished) await store.finish(one.id, outcome);
    }
  }));

for (const loss of ["whole", "behind"] as const) {
  Deno.test(`the index is made anew from the log: ${loss}`, () =>
    inFolder(async (folder) => {
      const ids: string[] = [];
      for (let n = 0; n < 6; n++) {
        if (n === 3 && loss === "behind") await Deno.mkdir(`${folder}/old`);
        await using store = await openStore(folder);
        const { intent, outcome } = await parts(n);
        await store.begin(intent);
        await store.finish(intent.id, outcome);
        ids.push(intent.id);
        if (n === 3 && loss === "behind") await copyIndex(folder, `${folder}/old`);
      }
      await removeIndex(folder);
      if (loss === "behind") await copyIndex(`${folder}/old`, folder);
      await using store = await openStore(folder);
      assertEquals(await store.latest(100), ids.toReversed());
      for (const id of ids) assertEquals((await valid(await store.get(id))).id, id);
    }));
}

async function indexFiles(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map((entry) => entry.name).filter((name) => name.startsWith("kv.db"));
}

async function copyIndex(from: string, to: string): Promise<void> {
  for (const name of await indexFiles(from)) {
    await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

async function removeIndex(folder: string): Promise<void> {
  for (const name of await indexFiles(folder)) await Deno.remove(`${folder}/${name}`);
}

Deno.test("a changed byte in the log is found at the start, with its line", () =>
  inFolder(async (folder) => {
    {
      await using store = await openStore(folder);
      const { intent, outcome } = await parts(1);
      await store.begin(intent);
      await store.finish(intent.id, outcome);
    }
    const path = `${folder}/receipts.log`;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace('"payloadType"', '"payloadTypo"'));
    const error = await assertRejects(() => openStore(folder), VeiError, "receipts.log:2");
    assertEquals((error as VeiError).code, "log-damaged");
  }));
