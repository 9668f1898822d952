/** A log or an index that is not as it was left: found at the start, never written on. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VeiError } from "../base/errors.ts";
import { seal } from "../receipt/dsse.ts";
import { signingKey } from "../receipt/keys.ts";
import { addReceipts } from "../../tests/tools/many_receipts.ts";
import { sampleReceipt } from "../../tests/tools/sample_receipt.ts";
import { checkFormat, STATE_FORMAT } from "./format.ts";
import { LogIndex } from "./index_kv.ts";
import { ReceiptStore } from "./receipts.ts";

const key = await signingKey(new Uint8Array(32).fill(1));

const openStore = (folder: string) =>
  ReceiptStore.open({ folder, sign: (bytes) => seal(bytes, key), key: key.publicKey });

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-damage-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes receipts. @returns their ids. */
async function fill(folder: string, count: number): Promise<string[]> {
  await using store = await openStore(folder);
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const receipt = await sampleReceipt(key.publicKey.fingerprint, store.count);
    const { sequence: _, time, output, verdict, kernel, ...fixed } = receipt;
    const { counters_after: _a, drops: _d, ...before } = kernel!;
    await store.begin({ ...fixed, start: time.start, kernel: before });
    await store.finish(receipt.id, { time, output, verdict, kernel });
    ids.push(receipt.id);
  }
  return ids;
}

async function codeOf(folder: string): Promise<string> {
  try {
    await using store = await openStore(folder);
    return `opened with ${store.count}`;
  } catch (error) {
    if (!(error instanceof VeiError)) throw error;
    assert(error.hint !== "");
    return error.code;
  }
}

Deno.test("a receipt with any byte changed is found at the start, and nothing is written", () =>
  inFolder(async (folder) => {
    await fill(folder, 2);
    const path = `${folder}/receipts.log`;
    const whole = await Deno.readFile(path);
    const lines = new TextDecoder().decode(whole).split("\n");
    const begin = new TextEncoder().encode(lines[0]).length + 1;
    const end = begin + new TextEncoder().encode(lines[1]).length;
    assert(lines[1].startsWith('{"receipt"'));
    for (let at = begin; at <= end; at += at > begin + 40 && at < end - 180 ? 37 : 1) {
      const bytes = whole.slice();
      bytes[at] ^= 1;
      await Deno.writeFile(path, bytes);
      assertEquals(await codeOf(folder), "log-damaged", `byte ${at} of ${end}`);
      assertEquals(await Deno.readFile(path), bytes);
    }
  }));

Deno.test("many receipts: each is checked, and the first that is bad is the one that is told", () =>
  inFolder(async (folder) => {
    const key = await addReceipts(folder, 1100);
    const told: number[] = [];
    const open = async () => {
      await using store = await ReceiptStore.open({
        folder,
        sign: (bytes) => seal(bytes, key),
        key: key.publicKey,
        checked: (count) => told.push(count),
      });
      return store.count;
    };
    assertEquals(await open(), 1100);
    assertEquals(told.splice(0), [1024]);

    const path = `${folder}/receipts.log`;
    const lines = (await Deno.readTextFile(path)).split("\n");
    // Another receipt's signature: well-formed, and only the check of signatures can tell.
    const signature = (n: number) => /"sig":"([^"]+)"/.exec(lines[2 * n - 1])![1];
    const swapped = (n: number) => lines[2 * n - 1].replace(signature(n), signature(n + 1));
    const faultWith = async (changes: Record<number, string>) => {
      await Deno.writeTextFile(path, lines.map((line, i) => changes[i] ?? line).join("\n"));
      const error = await assertRejects(open, VeiError);
      return error.message.replace(path, "LOG");
    };
    const bad = (line: number) => `The log is damaged at LOG:${line}: the signature does not fit`;
    // In the first thousand, at their end, and after them.
    for (const n of [1, 1024, 1025, 1099]) {
      assertEquals(await faultWith({ [2 * n - 1]: swapped(n) }), bad(2 * n));
    }
    told.length = 0;
    // With others after it: a later signature, a wrong number, a line that is no JSON.
    assertEquals(await faultWith({ 5: swapped(3), 9: swapped(5) }), bad(6));
    assertEquals(await faultWith({ 5: swapped(3), 11: lines[13], 13: lines[11] }), bad(6));
    assertEquals(await faultWith({ 5: swapped(3), 12: "x".repeat(lines[12].length) }), bad(6));
    assertEquals(told, []);
  }));

Deno.test("a log that was cut or zeroed is refused and left alone; the index is the witness", () =>
  inFolder(async (folder) => {
    await fill(folder, 3);
    const path = `${folder}/receipts.log`;
    const whole = await Deno.readFile(path);
    for (const kept of [0, 1, whole.length >> 1, whole.length - 1]) {
      await Deno.writeFile(path, whole.subarray(0, kept));
      assertEquals(await codeOf(folder), "log-shortened", `${kept} bytes kept`);
      assertEquals(await Deno.readFile(path), whole.slice(0, kept));
    }
    await Deno.writeFile(path, new Uint8Array(whole.length));
    assertEquals(await codeOf(folder), "log-shortened");
    for (const [from, to] of [[0, 100], [whole.length - 2000, whole.length - 1]]) {
      await Deno.writeFile(path, whole.slice().fill(0, from, to));
      assertEquals(await codeOf(folder), "log-damaged");
    }
    // Both moved away together: that is beginning anew, on purpose.
    for (const { name } of [...Deno.readDirSync(folder)]) await Deno.remove(`${folder}/${name}`);
    assertEquals(await codeOf(folder), "opened with 0");
  }));

Deno.test("a line that another key signed is not taken for one of ours", () =>
  inFolder(async (folder) => {
    await fill(folder, 2);
    const path = `${folder}/receipts.log`;
    const text = await Deno.readTextFile(path);
    const other = (await signingKey(new Uint8Array(32).fill(2))).publicKey.fingerprint;
    const last = text.lastIndexOf(`"keyid":"${key.publicKey.fingerprint}"`);
    assert(last > 0);
    const at = last + '"keyid":"'.length;
    await Deno.writeTextFile(path, text.slice(0, at) + other + text.slice(at + other.length));
    assertEquals(await codeOf(folder), "log-damaged");
  }));

Deno.test("an index with any damage is made anew from the log", () =>
  inFolder(async (folder) => {
    const ids = await fill(folder, 5);
    const path = `${folder}/kv.db`;
    const check = async (what: string) => {
      {
        await using store = await openStore(folder);
        assertEquals(await store.latest(99), ids.toReversed(), what);
        for (const id of ids) assert(await store.get(id), `${what}: ${id}`);
      }
      ids.push(...await fill(folder, 1));
    };
    const damage: Record<string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array> = {
      "zeroed": (bytes) => new Uint8Array(bytes.length),
      "no database": (bytes) => bytes.fill(0x55, 0, 100),
      "its pages are noise": (bytes) => bytes.fill(0x55, 4096),
      "cut": (bytes) => bytes.subarray(0, 4096),
      "empty": () => new Uint8Array(),
    };
    for (const [what, change] of Object.entries(damage)) {
      const bytes = await Deno.readFile(path);
      for (const end of ["-wal", "-shm"]) await Deno.remove(path + end).catch(() => {});
      await Deno.writeFile(path, change(bytes));
      await check(what);
    }
    {
      using index = await LogIndex.open(path);
      const end = await index.indexed();
      await index.add([{ id: ids[1], sequence: 2, offset: 7 }], end);
    }
    await check("a place that is wrong");
    {
      using index = await LogIndex.open(path);
      const end = await index.indexed();
      await index.add([{ id: "of nobody", sequence: 99, offset: 7 }], end);
    }
    await check("a place too many");
  }));

Deno.test("a receipt that the index did not take is found all the same, and taken along later", () =>
  inFolder(async (folder) => {
    const ids = await fill(folder, 2);
    {
      await using store = await openStore(folder);
      const { index } = store as unknown as { index: LogIndex };
      const real = index.add.bind(index);
      for (const works of [false, false, true]) {
        index.add = works ? real : () => Promise.reject(new Error("disk full"));
        const receipt = await sampleReceipt(key.publicKey.fingerprint, store.count);
        const { sequence: _, time, output, verdict, kernel, ...fixed } = receipt;
        const { counters_after: _a, drops: _d, ...before } = kernel!;
        await store.begin({ ...fixed, start: time.start, kernel: before });
        await store.finish(receipt.id, { time, output, verdict, kernel });
        ids.push(receipt.id);
        assertEquals(await store.latest(9), ids.toReversed());
        assertEquals(await store.latest(9, 4), ids.slice(0, 3).toReversed());
        for (const id of ids) assert(await store.get(id));
      }
      index.add = () => Promise.reject(new Error("never again"));
      assertEquals(await index.latest(9), ids.toReversed());
    }
    await using store = await openStore(folder);
    assertEquals(await store.latest(9), ids.toReversed());
  }));

Deno.test("a state folder says its format; another one is refused", () =>
  inFolder(async (folder) => {
    checkFormat(folder);
    checkFormat(folder);
    const path = `${folder}/format`;
    assertEquals(await Deno.readTextFile(path), `${STATE_FORMAT}\n`);
    for (
      const [text, code] of [
        [`${STATE_FORMAT + 1}\n`, "state-newer"],
        ["100\n", "state-newer"],
        ["", "state-format"],
        ["one\n", "state-format"],
      ]
    ) {
      await Deno.writeTextFile(path, text);
      const error = assertThrows(() => checkFormat(folder), VeiError);
      assertEquals([error.code, error.exit], [code, 78]);
      assertEquals(await Deno.readTextFile(path), text);
    }
  }));
