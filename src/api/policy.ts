/** A policy, ready to be enforced, and the digests that receipts bind. */
import { sha256 } from "../base/bytes.ts";
import type { GateAutomaton } from "../gate/automaton.ts";
import { compileWords } from "../gate/words.ts";
import { parsePolicy, type Policy } from "../policy/policy_file.ts";

export interface CompiledPolicy {
  readonly policy: Policy;
  readonly automaton: GateAutomaton;
  /** SHA-256 of the file's bytes. */
  readonly sha256: string;
  /** SHA-256 of the automaton as the monitor runs it. */
  readonly automatonSha256: string;
}

/** @returns what `/api/status` says of the policy in force. */
export function policyStatus({ policy }: { policy: CompiledPolicy }) {
  return { name: policy.policy.name, version: policy.policy.version, sha256: policy.sha256 };
}

/** @throws VeiError `policy-invalid`, `policy-too-large`. */
export async function compilePolicy(text: string, path: string): Promise<CompiledPolicy> {
  const policy = parsePolicy(text, path);
  const automaton = compileWords(policy.forbid);
  const { classOf, next, hold, rule, matched } = automaton;
  const digests = await Promise.all(
    [classOf, next, hold, rule, matched].map((part) =>
      sha256(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
    ),
  );
  const encoder = new TextEncoder();
  return {
    policy,
    automaton,
    sha256: await sha256(encoder.encode(text)),
    automatonSha256: await sha256(encoder.encode(digests.join("\n"))),
  };
}
