/** Drops that belong to no request: one entry in the log for each flow. */
import type { KernelDrop, KernelGate, Node } from "./exchange.ts";
import { kernelEnd, makeIntent } from "./exchange.ts";
import { sha256 } from "../base/bytes.ts";
import type { Model } from "../model/model.ts";
import type { Receipt } from "../receipt/statement.ts";
import { notBefore } from "./time.ts";

export type Flow = NonNullable<NonNullable<Receipt["kernel"]>["flow"]>;

export interface Incident {
  readonly flow: Flow;
  /** The first of the flow decides what the entry names. */
  readonly drops: readonly KernelDrop[];
}

/**
 * Writes the entry of an incident.
 * @returns its id.
 * @throws VeiError `log-unwritable`.
 */
export async function recordIncident(
  node: Node,
  behind: { model: Model; kernel: KernelGate },
  { flow, drops }: Incident,
): Promise<string> {
  const [first] = drops;
  const request = { maxTokens: 0, temperature: 0, seed: 0 };
  const intent = await makeIntent(node, {
    ...{ input: undefined, request, policy: node.policy },
    ...behind,
  });
  const kernel = { ...intent.kernel!, flow };
  await node.store.begin({ ...intent, kind: "incident", kernel });
  await node.store.finish(intent.id, {
    time: { start: intent.start, first_byte: null, end: notBefore(intent.start, node.now()) },
    output: { sha256: await sha256(new Uint8Array(0)), bytes: 0 },
    verdict: {
      outcome: "aborted",
      by: "kernel",
      rule: first.reason,
      offset: first.offset,
      start: null,
    },
    kernel: { ...kernel, ...kernelEnd(behind.kernel), drops: [...drops] },
  });
  return intent.id;
}
