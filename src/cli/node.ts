/** Opens what every exchange needs: key, store, policy, and the digest of this very program. */
import type { Policies } from "../api/policy.ts";
import { ExchangeTotals } from "../api/exchange_totals.ts";
import { type Node, settleInterrupted } from "../api/exchange.ts";
import { hex } from "../base/bytes.ts";
import type { Config } from "../base/config.ts";
import { Exit, VeiError } from "../base/errors.ts";
import type { Instance } from "../host/instance.ts";
import { seal } from "../receipt/dsse.ts";
import type { SigningKey } from "../receipt/keys.ts";
import { loadCredentialKey, loadNodeKey } from "../store/node_key.ts";
import { ReceiptStore } from "../store/receipts.ts";
import { sha256File } from "../../enclave/digest.ts";
import { configuredPolicies } from "./configured.ts";
import { VERSION } from "./version.ts";

/** An open node; disposing of it closes the store. The state's lock is the caller's. */
export interface OpenNode extends Node, AsyncDisposable {
  /** From now on exchanges that begin are judged by these. */
  usePolicies(policies: Policies): void;
  readonly key: SigningKey;
  /** Receipts that had to be written for a crash before. */
  readonly settled: number;
  /** Of the exchanges since it was opened. */
  readonly totals: ExchangeTotals;
}

const random = (count: number) => crypto.getRandomValues(new Uint8Array(count));

/** The file that runs, also when an upgrade has put another one in its place (proc(5)). */
const RUNNING_PROGRAM = "/proc/self/exe";

/** Of a key that is not in the state folder: its public half, 64 hex digits. */
export const publicKeyPath = (state: string) => `${state}/node.pub`;

export const keyPath = (instance: Instance) => `${instance.state}/node.key`;

/**
 * @param config which policy and which key.
 * @param notice told of what does not stop it, but that its operator should know.
 * @param checked told how many receipts have been found good, while there are more.
 * @throws VeiError `policy-…`, `key-…`, `log-…`, `index-unusable`.
 */
export async function openNode(
  instance: Instance,
  config: Pick<Config, "policy" | "receipt">,
  notice: (message: string) => void = () => {},
  checked: (count: number) => void = () => {},
): Promise<OpenNode> {
  let policies = await configuredPolicies(config, instance.state);
  const key = await configuredKey(instance, config.receipt.key);
  const store = await ReceiptStore.open({
    folder: instance.state,
    sign: (payload) => seal(payload, key),
    key: key.publicKey,
    checked,
    notice,
  });
  const { fingerprint } = key.publicKey;
  if (store.lastSigner !== null && store.lastSigner !== fingerprint) {
    const signer = store.lastSigner;
    await store[Symbol.asyncDispose]();
    throw new VeiError({
      code: "key-replaced",
      message: `The key ${config.receipt.key || keyPath(instance)} is not the one that signed ` +
        `the receipts (${signer})`,
      hint: "restore the old key, or move receipts.log and kv.db away to begin anew",
      exit: Exit.config,
    });
  }
  // Ninety megabytes: hashed when the first request comes, not before the daemon is ready.
  let digest: Promise<string> | undefined;
  const program = async () => ({
    version: VERSION,
    sha256: await (digest ??= sha256File(RUNNING_PROGRAM)),
  });
  const totals = new ExchangeTotals();
  const node: Node = {
    ...{ store, fingerprint, program, random },
    get policy() {
      return policies.policy;
    },
    get allowed() {
      return policies.allowed;
    },
    now: watchedClock(() => new Date(), notice),
    onEnd: (end) => totals.add(end),
  };
  const settled = await settleInterrupted(node);
  return Object.assign(node, {
    ...{ key, settled, totals },
    usePolicies: (next: Policies) => void (policies = next),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  });
}

/**
 * @param credential "" for the state folder's own key.
 * @returns the key to sign with. Of one that only the service is given, the public half is left in
 * the state folder, for the commands that verify.
 */
async function configuredKey(instance: Instance, credential: string): Promise<SigningKey> {
  const half = publicKeyPath(instance.state);
  if (credential === "") {
    const mayMake = await sizeOf(`${instance.state}/receipts.log`) === 0;
    const key = await loadNodeKey(keyPath(instance), { mayMake, random });
    await Deno.remove(half).catch(() => {});
    return key;
  }
  const key = await loadCredentialKey(Deno.env.get("CREDENTIALS_DIRECTORY"), credential);
  await Deno.writeTextFile(half, `${hex(key.publicKey.raw)}\n`);
  return key;
}

/** @returns a clock that says so when it has been set back; small steps are a time server's. */
function watchedClock(now: () => Date, notice: (message: string) => void): () => Date {
  let latest = 0;
  return () => {
    const time = now();
    const back = Math.round((latest - time.getTime()) / 1000);
    if (back > 1) {
      notice(
        `the clock was set back by ${back} s; ` +
          "receipts stand in the order of their numbers, whatever their times",
      );
    }
    latest = time.getTime();
    return time;
  };
}

async function sizeOf(path: string): Promise<number> {
  return await Deno.stat(path).then(({ size }) => size, () => 0);
}
