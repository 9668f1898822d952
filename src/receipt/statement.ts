/**
 * What a receipt says, as an in-toto Statement v1. Every item is bound by the SHA-256 of its exact
 * bytes, never by a name or a path alone.
 */
import * as v from "valibot";
import { equalBytes, sha256 } from "../base/bytes.ts";
import { canonicalJson } from "../base/canonical.ts";
import { isUuid7 } from "./uuid7.ts";

export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
export const PREDICATE_TYPE = "urn:vei:receipt:v0";

const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hex"));
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const filled = v.pipe(v.string(), v.nonEmpty());
const time = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/));
const content = v.strictObject({ sha256: digest, bytes: count });
const counters = v.record(v.string(), count);

/** A frame that the kernel dropped on the request's own flow. */
const drop = v.strictObject({
  reason: filled,
  offset: v.nullable(count),
  tcp_sequence: count,
  payload_bytes: count,
  retransmissions: count,
});

/** Ends of a flow; zero and empty where the frame was dropped before that was known. */
const flow = v.strictObject({
  source: v.string(),
  source_port: count,
  destination: v.string(),
  destination_port: count,
});

const diode = v.strictObject({
  name: filled,
  source: digest,
  program: digest,
  table: digest,
  link_rules: digest,
  /**
   * Of the certificates by which it was proved before it was attached: that the program walks any
   * table, that the table says what the predicate does. Absent where it was attached without.
   */
  certificates: v.optional(v.strictObject({ program: digest, table: digest })),
  /**
   * Of a diode made from the policy whose file `source` is of: the rules that it enforces on each
   * packet by itself; the others are the monitor's alone. Absent of any other diode.
   */
  rules: v.optional(v.pipe(v.array(filled), v.minLength(1))),
});

/** What the answer depends on besides the input; with that it makes the `proof_id`. */
const setting = {
  policy: v.strictObject({ name: filled, version: filled, sha256: digest, automaton: digest }),
  model: v.strictObject({
    kind: v.picklist(["enclave", "url", "mock"]),
    name: filled,
    /** null where we do not have the weights. */
    sha256: v.nullable(digest),
    max_tokens: count,
    temperature: v.number(),
    seed: count,
  }),
  /** null without a diode. */
  diode: v.nullable(diode),
  /** null without a virtual machine. */
  enclave: v.nullable(v.strictObject({
    image: digest,
    kernel: digest,
    initrd: digest,
    root: digest,
    qemu_version: filled,
    qemu_arguments: digest,
  })),
  program: v.strictObject({ version: filled, sha256: digest }),
};
const Setting = v.strictObject(setting);
export type Setting = v.InferOutput<typeof Setting>;

const verdict = v.variant("outcome", [
  v.strictObject({
    outcome: v.literal("completed"),
    /** `time`: the time that the caller gave was over. */
    finish: v.picklist(["stop", "length", "time"]),
  }),
  v.strictObject({
    outcome: v.literal("aborted"),
    by: v.picklist(["monitor", "kernel"]),
    /** The policy's rule, or the diode's reason. */
    rule: filled,
    /** Index of the byte that decides: of the content (monitor), of the payload (kernel). */
    offset: v.nullable(count),
    /** Where in the content the match begins; null where the kernel decided. */
    start: v.nullable(count),
  }),
  /** The policy's rule; `limit:policy` where the request names a policy that it may not choose. */
  v.strictObject({ outcome: v.literal("refused"), rule: filled, offset: count }),
  v.strictObject({ outcome: v.literal("interrupted"), why: filled }),
]);
/** How an exchange ended. */
export type Verdict = v.InferOutput<typeof verdict>;

/** A change of the configuration while the daemon ran, by digests of the files. */
const reload = v.strictObject({
  /** Counts the configurations of this run of the daemon; the one that it started with is 1. */
  generation: v.pipe(count, v.minValue(2)),
  /** Keys of the configuration that have another value, and files that have another content. */
  changed: v.pipe(v.array(filled), v.minLength(1)),
  /** null where there was no file and the defaults held. */
  config: v.strictObject({ before: v.nullable(digest), after: v.nullable(digest) }),
  policy: v.strictObject({ before: digest, after: digest }),
  /** null where no diode stands before the model. */
  diode: v.nullable(v.strictObject({ before: digest, after: digest })),
  /** Policies that requests may choose, those that differ: null where it was, or is, none of them. */
  allowed: v.optional(v.pipe(
    v.array(
      v.strictObject({ name: filled, before: v.nullable(digest), after: v.nullable(digest) }),
    ),
    v.minLength(1),
  )),
});
export type Reload = v.InferOutput<typeof reload>;

const Predicate = v.pipe(
  v.strictObject({
    id: v.pipe(v.string(), v.check(isUuid7, "must be a UUID of version 7")),
    /** Counts from 1, without holes. */
    sequence: v.pipe(count, v.minValue(1)),
    /**
     * `incident`: the kernel dropped frames that belong to no request; `reload`: the configuration was
     * changed, the parts below are those before it. Input and output of both are empty.
     */
    kind: v.picklist(["exchange", "incident", "reload"]),
    proof_id: digest,
    node: filled,
    time: v.strictObject({ start: time, first_byte: v.nullable(time), end: time }),
    input: content,
    ...setting,
    /** What was released to the user; null where a crash took the knowledge of it. */
    output: v.nullable(content),
    verdict: v.variant("outcome", [verdict, v.strictObject({ outcome: v.literal("applied") })]),
    kernel: v.nullable(v.strictObject({
      link_id: count,
      program_id: count,
      counters_before: counters,
      /** null where a crash took the knowledge of them. */
      counters_after: v.nullable(counters),
      /** Of an incident; null for an exchange, whose flow is its own. */
      flow: v.nullable(flow),
      drops: v.array(drop),
      /**
       * The diodes that were put in this one's place before the end, in their order; the counters
       * above are those of the first one's own maps. Absent where none was.
       */
      replaced_by: v.optional(v.pipe(
        v.array(v.strictObject({
          program_id: count,
          diode,
          /** null where a crash took the knowledge of them. */
          counters_after: v.nullable(counters),
        })),
        v.minLength(1),
      )),
    })),
    /** Of a reload only. */
    reload: v.optional(reload),
    /** Guarantees that this exchange did not have, in words. */
    lacks: v.array(filled),
  }),
  v.check(
    ({ kind, reload, verdict }) =>
      (kind === "reload") === (reload !== undefined) &&
      (kind === "reload"
        ? ["applied", "interrupted"].includes(verdict.outcome)
        : verdict.outcome !== "applied"),
    "kind, verdict and reload do not fit",
  ),
);
export type Receipt = v.InferOutput<typeof Predicate>;

const Statement = v.strictObject({
  _type: v.literal(STATEMENT_TYPE),
  subject: v.array(
    v.strictObject({ name: filled, digest: v.strictObject({ sha256: digest }) }),
  ),
  predicateType: v.literal(PREDICATE_TYPE),
  predicate: Predicate,
});

/**
 * The digest of a request's canonical description: equal for equal requests, different when one bit
 * of any part differs.
 * @param input SHA-256 of the canonical input.
 */
export function proofId(input: string, setting: Setting): Promise<string> {
  return sha256(new TextEncoder().encode(canonicalJson({ input, ...setting })));
}

/** @returns what every receipt's `proof_id` must be. */
export function proofIdOf(receipt: Receipt): Promise<string> {
  const { policy, model, diode, enclave, program } = receipt;
  return proofId(receipt.input.sha256, { policy, model, diode, enclave, program });
}

/** The digests that other people's tools look for. */
function subjects(receipt: Receipt) {
  return [
    ...(receipt.output === null
      ? []
      : [{ name: "output", digest: { sha256: receipt.output.sha256 } }]),
    { name: "input", digest: { sha256: receipt.input.sha256 } },
    { name: "policy", digest: { sha256: receipt.policy.sha256 } },
    ...(receipt.model.sha256 === null
      ? []
      : [{ name: "model", digest: { sha256: receipt.model.sha256 } }]),
  ];
}

/** @returns the statement's one byte form (RFC 8785). */
export function encodeStatement(receipt: Receipt): Uint8Array<ArrayBuffer> {
  const statement = {
    _type: STATEMENT_TYPE,
    subject: subjects(receipt),
    predicateType: PREDICATE_TYPE,
    predicate: receipt,
  };
  return new TextEncoder().encode(canonicalJson(statement)) as Uint8Array<ArrayBuffer>;
}

/**
 * @returns the receipt in a statement.
 * @throws SyntaxError naming the field, unless the bytes are exactly what `encodeStatement` gives.
 */
export function decodeStatement(bytes: Uint8Array): Receipt {
  let raw: unknown;
  try {
    raw = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new SyntaxError("Cannot read the statement: it is not JSON", { cause });
  }
  const result = v.safeParse(Statement, raw);
  if (!result.success) {
    const issue = result.issues[0];
    const path = (issue.path ?? []).map((item) => String(item.key)).join(".");
    throw new SyntaxError(`Cannot read the statement: ${path}: ${issue.message}`);
  }
  const receipt = result.output.predicate;
  if (!equalBytes(encodeStatement(receipt), bytes)) {
    throw new SyntaxError("Cannot read the statement: its subjects or its form do not fit");
  }
  return receipt;
}
