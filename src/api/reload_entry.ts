/** A change of the configuration while the daemon runs, as an entry in the log. */
import { sha256 } from "../base/bytes.ts";
import type { Model } from "../model/model.ts";
import type { Receipt, Reload, Setting } from "../receipt/statement.ts";
import { kernelEnd, type KernelGate, makeIntent, type Node } from "./exchange.ts";

/** What stands when the change begins. */
export interface ReloadedNode {
  model: Pick<Model, "kind" | "name" | "sha256">;
  /** null without a gate in the kernel, or before the virtual machine is there. */
  kernel: KernelGate | null;
  /** The diode on the link, also while there is no virtual machine. */
  diode: Setting["diode"];
}

/** An entry that is begun, and durable as such. */
export interface OpenEntry {
  readonly id: string;
  /** @param time when the change was made, or given up. @throws VeiError `log-unwritable`. */
  finish(verdict: Receipt["verdict"], time: Date): Promise<void>;
}

/**
 * Makes it durable that a change is about to be made; a crash before its end leaves the entry
 * `interrupted`.
 * @throws VeiError `log-unwritable`: then nothing may be changed.
 */
export async function beginReload(
  node: Node,
  { model, kernel, diode }: ReloadedNode,
  reload: Reload,
): Promise<OpenEntry> {
  const request = { maxTokens: 0, temperature: 0, seed: 0 };
  const { policy } = node;
  const intent = await makeIntent(node, {
    input: undefined,
    request,
    model,
    kernel,
    policy,
    diode,
  });
  await node.store.begin({ ...intent, kind: "reload", lacks: [], reload });
  const output = { sha256: await sha256(new Uint8Array(0)), bytes: 0 };
  return {
    id: intent.id,
    async finish(verdict, time) {
      await node.store.finish(intent.id, {
        time: { start: intent.start, first_byte: null, end: time.toISOString() },
        output,
        verdict,
        kernel: kernel && intent.kernel && { ...intent.kernel, ...kernelEnd(kernel), drops: [] },
      });
    },
  };
}
