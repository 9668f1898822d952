/**
 * One exchange, whole: intent durable → prompt to the model → answer through the gate → verdict →
 * receipt durable. What the caller sends after this returns is the last that the user gets.
 */
import { concat, sha256 } from "../base/bytes.ts";
import { canonicalJson } from "../base/canonical.ts";
import { messageOf } from "../base/errors.ts";
import { type End, runSession } from "../gate/session.ts";
import { LIMIT_PREFIX } from "../policy/policy.ts";
import type { ChatRequest, Model } from "../model/model.ts";
import { proofId, type Receipt, type Setting, type Verdict } from "../receipt/statement.ts";
import { uuid7 } from "../receipt/uuid7.ts";
import type { Intent, ReceiptStore } from "../store/receipts.ts";
import type { ExchangeEnd } from "./exchange_totals.ts";
import { chosenPolicy, type CompiledPolicy, judge, type Policies } from "./policy.ts";
import { notBefore } from "./time.ts";

/** What stays the same from exchange to exchange; the policies may be others for the next one. */
export interface Node extends Policies {
  readonly store: ReceiptStore;
  /** Fingerprint of the signing key. */
  readonly fingerprint: string;
  /** Our own version and executable's digest, which takes a moment to compute the first time. */
  program(): Promise<Setting["program"]>;
  now(): Date;
  random(count: number): Uint8Array;
  /** Told of each exchange that has its receipt. */
  onEnd?(end: ExchangeEnd): void;
}

type KernelReport = NonNullable<Receipt["kernel"]>;
export type KernelDrop = KernelReport["drops"][number];

/** What the kernel does to one flow while it is watched. */
export interface FlowWatch extends Disposable {
  /** Settled with the first drop on the flow. */
  readonly stopped: Promise<KernelDrop>;
  /** All so far, retransmissions counted with the first. */
  drops(): KernelDrop[];
}

/** The gate in the kernel in front of a model. */
export interface KernelGate {
  readonly diode: NonNullable<Setting["diode"]>;
  readonly enclave: NonNullable<Setting["enclave"]>;
  readonly linkId: number;
  readonly programId: number;
  counters(): Record<string, number>;
  /** The diodes that were put in this one's place since, in their order. */
  replacedBy(): NonNullable<KernelReport["replaced_by"]>;
  /** @param port our end of the flow. */
  watch(port: number): FlowWatch;
}

export interface Asked {
  /** The request as it came, for the digest of the input. */
  readonly input: unknown;
  readonly request: ChatRequest;
  /** The name of the policy that the request asks for; null or absent: it names none. */
  readonly policyName?: string | null;
  readonly model: Model;
  readonly kernel: KernelGate | null;
  /** Ends the exchange: the client is gone, or we are stopping. */
  readonly signal: AbortSignal;
  /** When aborted, the answer so far is the answer. */
  readonly deadline?: AbortSignal;
  /** Text that the user will get besides the answer: it passes the same policy, or is refused. */
  readonly echo?: string;
  /** Told the receipt's id, once the intent is durable and nothing refused, before any text. */
  onBegin?(id: string): void;
  /** Told the verdict, once the receipt is durable, also where this then throws. */
  onEnd?(ended: Pick<Answered, "id" | "verdict">): void;
  /** Takes released text. */
  emit(text: string): void | Promise<void>;
  onProgress?(processed: number, total: number): void;
}

export interface Answered {
  readonly id: string;
  readonly verdict: Verdict;
  /** Content tokens that the model sent. */
  readonly tokens: number;
  /** The receipt, durable: a DSSE envelope. */
  readonly receipt: string;
}

/** The rule of a request that names a policy which it may not choose. */
export const POLICY_LIMIT = `${LIMIT_PREFIX}policy`;

/** What a model without a kernel gate lacks, in words for people. */
export const LACKS_KERNEL = "no gate in the kernel stands between this model and us";
export const LACKS_ENCLAVE = "the model does not run in our virtual machine";
export const LACKS_WEIGHTS = "the model's weights are not known to us";

type Stop =
  | { by: "kernel"; drop: KernelDrop }
  | { by: "caller" }
  | { by: "deadline" }
  | { by: "max_time" };

/**
 * @throws VeiError `log-unwritable`: before the prompt was sent, or with the answer incomplete and
 * the caller bound to say so; what `emit` throws, after the receipt was written.
 */
export async function exchange(node: Node, asked: Asked): Promise<Answered> {
  const { model, kernel, signal } = asked;
  // The one that the receipt names is the one that judges, whatever is loaded meanwhile.
  const chosen = asked.policyName == null ? node.policy : chosenPolicy(node, asked.policyName);
  const policy = chosen ?? node.policy;
  const intent = await makeIntent(node, { ...asked, policy });
  await node.store.begin(intent);
  const released: Uint8Array[] = [];
  let firstByte: string | null = null;
  let tokens = 0;
  let received = 0;
  let verdict: Verdict;
  let failure: { cause: unknown } | null = null;
  let watch: FlowWatch | null = null;
  const conclude = async (verdict: Verdict, failure: { cause: unknown } | null = null) => {
    const output = concat(...released);
    const drops = watch?.drops() ?? [];
    watch?.[Symbol.dispose]();
    const receipt = await node.store.finish(intent.id, {
      time: {
        start: intent.start,
        first_byte: firstByte,
        end: notBefore(firstByte ?? intent.start, node.now()),
      },
      output: { sha256: await sha256(output), bytes: output.length },
      verdict,
      kernel: kernel && intent.kernel && { ...intent.kernel, ...kernelEnd(kernel), drops },
    });
    node.onEnd?.({ verdict, tokens, received, released: output.length });
    asked.onEnd?.({ id: intent.id, verdict });
    if (failure && !signal.aborted) throw failure.cause;
    return { id: intent.id, verdict, tokens, receipt };
  };
  const refused: Verdict | null = chosen === null
    ? { outcome: "refused", rule: POLICY_LIMIT, offset: 0 }
    : refusal(policy, asked);
  if (refused) return await conclude(refused);
  asked.onBegin?.(intent.id);
  const cancel = new AbortController();
  using overtime = timeLimit(policy.policy.limits.maxTimeMs);
  try {
    const run = await model.start(asked.request, AbortSignal.any([signal, cancel.signal]));
    if (kernel && run.port !== null) watch = kernel.watch(run.port);
    const result = await runSession<Stop>({
      program: policy.output,
      maxTokens: asked.request.maxTokens,
      deltas: run.deltas,
      stop: firstStop(asked, watch, overtime.signal),
      onText(bytes) {
        tokens++;
        received += bytes;
      },
      onProgress: asked.onProgress?.bind(asked),
      emit: async (text, bytes) => {
        firstByte ??= notBefore(intent.start, node.now());
        released.push(bytes.slice());
        await asked.emit(text);
      },
    });
    const sent = released.reduce((sum, { length }) => sum + length, 0);
    verdict = result.end.kind === "stopped"
      ? stopVerdict(result.end.stop, received, sent)
      : verdictOf(result.end, policy, signal);
  } catch (cause) {
    failure = { cause };
    verdict = {
      outcome: "interrupted",
      why: signal.aborted ? "the client went away" : messageOf(cause),
    };
  } finally {
    cancel.abort();
  }
  return await conclude(verdict, failure);
}

/** @returns what the kernel says at the end of an entry, besides the drops. */
export function kernelEnd(
  kernel: KernelGate,
): Pick<KernelReport, "counters_after" | "replaced_by"> {
  const replaced = kernel.replacedBy();
  return {
    counters_after: kernel.counters(),
    ...(replaced.length > 0 ? { replaced_by: replaced } : {}),
  };
}

/** @returns the intent of an exchange, or the beginning of another entry. */
export async function makeIntent(
  node: Node,
  asked: Pick<Asked, "input" | "kernel"> & {
    policy: CompiledPolicy;
    /** Where there is no `kernel` to name it. */
    diode?: Setting["diode"];
    model: Pick<Model, "kind" | "name" | "sha256">;
    request: Pick<ChatRequest, "maxTokens" | "temperature" | "seed">;
  },
): Promise<Intent> {
  const { request, model, kernel } = asked;
  const now = node.now();
  const { policy, sha256: digest, automatonSha256 } = asked.policy;
  const text = asked.input === undefined ? "" : canonicalJson(asked.input);
  const input = new TextEncoder().encode(text);
  const inputDigest = await sha256(input);
  const setting: Setting = {
    policy: {
      name: policy.name,
      version: policy.version,
      sha256: digest,
      automaton: automatonSha256,
    },
    model: {
      kind: model.kind,
      name: model.name,
      sha256: model.sha256,
      max_tokens: request.maxTokens,
      temperature: request.temperature,
      seed: request.seed,
    },
    diode: kernel?.diode ?? asked.diode ?? null,
    enclave: kernel?.enclave ?? null,
    program: await node.program(),
  };
  return {
    id: uuid7(now.getTime(), node.random(10)),
    kind: "exchange",
    proof_id: await proofId(inputDigest, setting),
    node: node.fingerprint,
    input: { sha256: inputDigest, bytes: input.length },
    ...setting,
    lacks: [
      ...(kernel ? [] : [LACKS_KERNEL, LACKS_ENCLAVE]),
      ...(model.sha256 === null ? [LACKS_WEIGHTS] : []),
    ],
    start: now.toISOString(),
    kernel: kernel && {
      link_id: kernel.linkId,
      program_id: kernel.programId,
      counters_before: kernel.counters(),
      flow: null,
    },
  };
}

/** @returns why the policy refuses what is asked, or null. */
function refusal(policy: CompiledPolicy, { request, echo }: Asked): Verdict | null {
  const { prompt } = request;
  // Each message by itself: what stands between them is the model's template.
  const texts = typeof prompt === "string" ? [prompt] : prompt.map(({ content }) => content);
  let found = null;
  for (const text of texts) found ??= judge(policy.input, text);
  if (echo !== undefined) found ??= judge(policy.echo, echo);
  return found && { outcome: "refused", rule: found.rule, offset: found.offset };
}

function timeLimit(ms: number | null): Disposable & { signal: AbortSignal } {
  const limit = new AbortController();
  const timer = ms === null ? undefined : setTimeout(() => limit.abort(), ms);
  return { signal: limit.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

function firstStop(
  { signal, deadline }: Asked,
  watch: FlowWatch | null,
  overtime: AbortSignal,
): Promise<Stop> {
  return new Promise((resolve) => {
    const on = (source: AbortSignal | undefined, by: "caller" | "deadline" | "max_time") => {
      if (source?.aborted) resolve({ by });
      source?.addEventListener("abort", () => resolve({ by }), { once: true });
    };
    on(signal, "caller");
    on(deadline, "deadline");
    on(overtime, "max_time");
    watch?.stopped.then((drop) => resolve({ by: "kernel", drop }));
  });
}

function verdictOf(
  end: Exclude<End<Stop>, { kind: "stopped" }>,
  { output }: CompiledPolicy,
  signal: AbortSignal,
): Verdict {
  switch (end.kind) {
    case "finished":
      return { outcome: "completed", finish: end.finish };
    case "violation": {
      const { rule, offset, start } = end.violation;
      return { outcome: "aborted", by: "monitor", rule: output.rules[rule], offset, start };
    }
    case "failed":
      return {
        outcome: "interrupted",
        why: signal.aborted ? "the client went away" : messageOf(end.cause) || "unknown",
      };
  }
}

function stopVerdict(stop: Stop, received: number, released: number): Verdict {
  switch (stop.by) {
    case "deadline":
      return { outcome: "completed", finish: "time" };
    case "caller":
      return { outcome: "interrupted", why: "the client went away" };
    case "max_time":
      // What was held back is not released.
      return {
        outcome: "aborted",
        by: "monitor",
        rule: "limit:max_time",
        offset: received,
        start: released,
      };
    case "kernel": {
      const { reason, offset } = stop.drop;
      return { outcome: "aborted", by: "kernel", rule: reason, offset, start: null };
    }
  }
}

/** Writes the receipts that a crash kept from being written. @returns how many. */
export async function settleInterrupted(node: Node): Promise<number> {
  const unfinished = node.store.unfinished;
  for (const intent of unfinished) {
    await node.store.finish(intent.id, {
      time: { start: intent.start, first_byte: null, end: notBefore(intent.start, node.now()) },
      output: null,
      verdict: { outcome: "interrupted", why: `the daemon ended before the ${intent.kind} did` },
      kernel: intent.kernel &&
        { ...intent.kernel, counters_after: null, drops: [] },
    });
  }
  return unfinished.length;
}
