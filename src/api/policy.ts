/** A policy, ready to be enforced, and the digests that receipts bind. */
import { concat, sha256 } from "../base/bytes.ts";
import { Exit, VeiError } from "../base/errors.ts";
import { compileMonitor, RulesError } from "../gate/compile_monitor.ts";
import { Monitor, type MonitorProgram, type Violation } from "../gate/monitor.ts";
import type { Policy } from "../policy/policy.ts";
import { placeOfRule, readPolicy } from "../policy/policy_text.ts";

export interface CompiledPolicy {
  readonly policy: Policy;
  /** What the model says. */
  readonly output: MonitorProgram;
  /** What the user asks. */
  readonly input: MonitorProgram;
  /** What is said again of what was asked: the output's rules, but for those on the whole answer. */
  readonly echo: MonitorProgram;
  /** SHA-256 of the file's bytes. */
  readonly sha256: string;
  /** SHA-256 of the automata as the monitor runs them. */
  readonly automatonSha256: string;
}

/** The policies of a node. */
export interface Policies {
  /** Judges each request that names none. */
  readonly policy: CompiledPolicy;
  /** Those that a request may name besides. */
  readonly allowed: readonly CompiledPolicy[];
}

/** @returns the policy of a request that names it so; null where it may not be chosen. */
export function chosenPolicy({ policy, allowed }: Policies, name: string): CompiledPolicy | null {
  return [policy, ...allowed].find((one) => one.policy.name === name) ?? null;
}

/** @throws VeiError `policy-twice` unless a name means one of them only. */
export function refusePolicyTwins({ policy, allowed }: Policies): void {
  const seen = new Map<string, string>();
  for (const { policy: { name }, sha256 } of [policy, ...allowed]) {
    if ((seen.get(name) ?? sha256) === sha256) {
      seen.set(name, sha256);
      continue;
    }
    throw new VeiError({
      code: "policy-twice",
      message: `Two policies that differ are called ${name}: a request could not tell them apart`,
      hint: "give one of them another name in its file, or take it out of [policy] allow",
      exit: Exit.config,
    });
  }
}

/** @returns what `/api/status` says of the policies in force. */
export function policyStatus({ policy, allowed }: Policies) {
  const about = ({ policy: { name, version }, sha256 }: CompiledPolicy) => ({
    name,
    version,
    sha256,
  });
  return { ...about(policy), allowed: allowed.map(about) };
}

/** What compiling a policy takes time for. */
export type Programs = Pick<CompiledPolicy, "output" | "input" | "echo">;

/**
 * @param programs what is known already of a policy with this text, compiled by this very program.
 * @throws VeiError `policy-…`.
 */
export async function compilePolicy(
  text: string,
  path: string,
  programs?: Programs,
): Promise<CompiledPolicy> {
  const policy = readPolicy(text, path);
  const { output, input, echo } = programs ?? placed(text, path, policy, () => programsOf(policy));
  const encoder = new TextEncoder();
  return {
    policy,
    output,
    input,
    echo,
    sha256: await sha256(encoder.encode(text)),
    automatonSha256: await digestOf([output, input]),
  };
}

/** @returns what `compile` does. @throws VeiError of a rule with its place in the policy's file. */
export function placed<T>(text: string, path: string, policy: Policy, compile: () => T): T {
  try {
    return compile();
  } catch (cause) {
    if (!(cause instanceof RulesError)) throw cause;
    const places = cause.rules.flatMap((id) =>
      (["forbid", "require"] as const).flatMap((kind) => {
        const index = policy[kind].findIndex((rule) => rule.id === id);
        return index < 0 ? [] : placeOfRule(text, kind, index) ?? [];
      })
    );
    const where = places.length === 0 ? "" : `:${places[0].line}:${places[0].column}`;
    const { code, message, hint, exit } = cause;
    throw new VeiError({ ...{ code, hint, exit, cause }, message: `${path}${where}: ${message}` });
  }
}

function programsOf(policy: Policy): Programs {
  const output = compileMonitor(policy, "output").program;
  const { require, limits } = policy;
  const echo = require.length === 0 && limits.maxBytes === null ? output : compileMonitor(
    { ...policy, require: [], limits: { ...limits, maxBytes: null, maxHold: 2 ** 30 } },
    "output",
  ).program;
  return { output, input: compileMonitor(policy, "input").program, echo };
}

/** @returns the first violation in a text that is whole, with its rule's id; or null. */
export function judge(
  program: MonitorProgram,
  text: string,
): (Omit<Violation, "rule"> & { rule: string }) | null {
  const monitor = new Monitor(program);
  const violation = monitor.push(new TextEncoder().encode(text)).violation ??
    monitor.end().violation;
  return violation && { ...violation, rule: program.rules[violation.rule] };
}

/** @returns SHA-256 of the tables, each with its name and its length. */
export async function digestOf(programs: readonly MonitorProgram[]): Promise<string> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  for (const { automata, json, maxBytes, rules } of programs) {
    parts.push(encoder.encode(`${JSON.stringify({ json, maxBytes, rules })}\n`));
    for (const automaton of automata) {
      for (const [name, value] of Object.entries(automaton)) {
        if (typeof value === "number") {
          parts.push(encoder.encode(`${name} ${value}\n`));
          continue;
        }
        const { buffer, byteOffset, byteLength } = value as Int32Array<ArrayBuffer>;
        parts.push(encoder.encode(`${name} ${byteLength}\n`));
        parts.push(new Uint8Array(buffer, byteOffset, byteLength));
      }
    }
  }
  return await sha256(concat(...parts));
}
