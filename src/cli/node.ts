/** Opens what every exchange needs: key, store, policy, and the digest of this very program. */
import { compilePolicy } from "../api/policy.ts";
import { type Node, settleInterrupted } from "../api/exchange.ts";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import type { Instance } from "../host/instance.ts";
import { seal } from "../receipt/dsse.ts";
import type { SigningKey } from "../receipt/keys.ts";
import { loadNodeKey } from "../store/node_key.ts";
import { ReceiptStore } from "../store/receipts.ts";
import { shippedPolicy } from "../../diodes/shipped.ts";
import { sha256File } from "../../enclave/digest.ts";
import { VERSION } from "./version.ts";

/** An open node; disposing of it closes the store. The state's lock is the caller's. */
export interface OpenNode extends Node, AsyncDisposable {
  readonly key: SigningKey;
  /** Receipts that had to be written for a crash before. */
  readonly settled: number;
}

const random = (count: number) => crypto.getRandomValues(new Uint8Array(count));

export const keyPath = (instance: Instance) => `${instance.state}/node.key`;

/**
 * @param policyName a shipped policy's name, or the path of a file.
 * @throws VeiError `policy-…`, `key-…`, `log-…`, `index-unusable`.
 */
export async function openNode(instance: Instance, policyName: string): Promise<OpenNode> {
  const source = await policyText(policyName);
  const policy = await compilePolicy(source.text, source.path);
  const mayMake = await sizeOf(`${instance.state}/receipts.log`) === 0;
  const key = await loadNodeKey(keyPath(instance), { mayMake, random });
  const store = await ReceiptStore.open({
    folder: instance.state,
    sign: (payload) => seal(payload, key),
  });
  const { fingerprint } = key.publicKey;
  if (store.lastSigner !== null && store.lastSigner !== fingerprint) {
    const signer = store.lastSigner;
    await store[Symbol.asyncDispose]();
    throw new VeiError({
      code: "key-replaced",
      message: `The key ${keyPath(instance)} is not the one that signed the receipts (${signer})`,
      hint: "restore the old key, or move the receipts away to begin anew",
      exit: Exit.config,
    });
  }
  // Ninety megabytes: hashed when the first request comes, not before the daemon is ready.
  let digest: Promise<string> | undefined;
  const program = async () => ({
    version: VERSION,
    sha256: await (digest ??= sha256File(Deno.execPath())),
  });
  const node = { store, fingerprint, policy, program, now: () => new Date(), random };
  const settled = await settleInterrupted(node);
  return { ...node, key, settled, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

async function sizeOf(path: string): Promise<number> {
  return await Deno.stat(path).then(({ size }) => size, () => 0);
}

async function policyText(name: string): Promise<{ text: string; path: string }> {
  if (!name.includes("/")) return { text: shippedPolicy(name), path: `${name}.toml` };
  try {
    return { text: await Deno.readTextFile(name), path: name };
  } catch (cause) {
    throw new VeiError({
      code: "policy-unreadable",
      message: `Cannot read the policy ${name}: ${messageOf(cause)}`,
      hint: "[policy] default takes a shipped policy's name or the path of a file",
      exit: Exit.config,
      cause,
    });
  }
}
