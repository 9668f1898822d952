/** A state folder with many receipts in it, made at once: for what looks at how much many cost. */
import { canonicalJson } from "../../src/base/canonical.ts";
import { encodeEnvelope, seal } from "../../src/receipt/dsse.ts";
import type { SigningKey } from "../../src/receipt/keys.ts";
import { encodeStatement, type Receipt } from "../../src/receipt/statement.ts";
import { LogFile } from "../../src/store/log_file.ts";
import { loadNodeKey } from "../../src/store/node_key.ts";
import { ReceiptStore } from "../../src/store/receipts.ts";
import { sampleReceipt } from "./sample_receipt.ts";

/**
 * Adds `count` intents and their receipts to a state folder that has none, and the index of them.
 * The lines are those that the store writes; they share their fsyncs.
 * @returns the key that signed them, which is the folder's own.
 */
export async function addReceipts(folder: string, count: number): Promise<SigningKey> {
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const key = await loadNodeKey(`${folder}/node.key`, { mayMake: true, random });
  const { fingerprint } = key.publicKey;
  {
    await using log = await LogFile.open(`${folder}/receipts.log`);
    for (let from = 0; from < count; from += 500) {
      const written: Promise<number>[] = [];
      for (let n = from; n < Math.min(count, from + 500); n++) {
        const receipt: Receipt = { ...await sampleReceipt(fingerprint, n), sequence: n + 1 };
        written.push(log.append(canonicalJson({ intent: intentOf(receipt) })));
        const envelope = encodeEnvelope(await seal(encodeStatement(receipt), key));
        written.push(log.append(canonicalJson({ receipt: JSON.parse(envelope) })));
      }
      await Promise.all(written);
    }
  }
  const sign = (payload: Uint8Array<ArrayBuffer>) => seal(payload, key);
  await using store = await ReceiptStore.open({ folder, sign, key: key.publicKey });
  if (store.count !== count) throw new Error(`${store.count} receipts instead of ${count}`);
  return key;
}

function intentOf(receipt: Receipt): unknown {
  const { sequence: _s, time, output: _o, verdict: _v, kernel, ...fixed } = receipt;
  const { counters_after: _a, drops: _d, ...before } = kernel!;
  return { ...fixed, start: time.start, kernel: before };
}
