/** The configuration that holds, with all that it names; and how one differs from the next. */
import type { CompiledPolicy, Policies } from "../api/policy.ts";
import { canonicalJson } from "../base/canonical.ts";
import type { Config } from "../base/config.ts";
import { Exit, VeiError } from "../base/errors.ts";
import type { Reload } from "../receipt/statement.ts";
import type { ProvenDiode } from "../../diodes/proof.ts";

export interface InForce extends Policies {
  readonly config: Config;
  /** SHA-256 of the configuration file; null where there is none and the defaults hold. */
  readonly configSha256: string | null;
  /** null where no diode stands before the model. */
  readonly diode: ProvenDiode | null;
}

/** Keys that a running daemon takes over. What is not among them needs a restart. */
export const LIVE_KEYS: ReadonlySet<string> = new Set([
  "api.hosts",
  "api.max_body",
  "api.max_queue",
  "api.idle_timeout",
  "policy.default",
  "policy.allow",
  "diode.name",
  "log.level",
]);

/** Tables that mean nothing without a virtual machine. */
const GATE_TABLES = ["diode", "enclave", "link"];

/** What an entry in the log says of a change, but for its number. */
export type Change = Omit<Reload, "generation">;

/**
 * @param path of the configuration file, for the message.
 * @returns what is different; null where nothing is.
 * @throws VeiError `config-needs-restart` when that cannot be taken over.
 */
export function changeOf(before: InForce, after: InForce, path: string): Change | null {
  const keys = changedKeys(before.config, after.config)
    .filter((key) => after.diode !== null || !GATE_TABLES.includes(key.split(".")[0]));
  const fixed = keys.filter((key) => !LIVE_KEYS.has(key));
  if (fixed.length > 0) {
    throw new VeiError({
      code: "config-needs-restart",
      message: `${path} changes ${fixed.join(", ")}, which a running daemon cannot take over`,
      hint: "nothing was changed: restart the daemon, or take that back and reload again",
      exit: Exit.config,
    });
  }
  const config = { before: before.configSha256, after: after.configSha256 };
  const policy = { before: before.policy.sha256, after: after.policy.sha256 };
  const diode = before.diode && after.diode && {
    before: before.diode.digests.source,
    after: after.diode.digests.source,
  };
  const allowed = allowedChange(before.allowed, after.allowed);
  const differs = (pair: { before: unknown; after: unknown } | null) =>
    pair !== null && pair.before !== pair.after;
  const changed = [
    ...keys,
    ...(differs(policy) && !keys.includes("policy.default") ? ["policy file"] : []),
    ...(keys.includes("policy.allow") ? [] : allowed.map(({ name }) => `policy file ${name}`)),
    ...(differs(diode) && !keys.includes("diode.name") ? ["diode file"] : []),
    ...(differs(config) && keys.length === 0 ? ["configuration file"] : []),
  ];
  if (changed.length === 0) return null;
  return { changed, config, policy, diode, ...(allowed.length > 0 ? { allowed } : {}) };
}

/** @returns the policies of one list that are not in the other with the same content. */
function allowedChange(
  before: readonly CompiledPolicy[],
  after: readonly CompiledPolicy[],
): NonNullable<Reload["allowed"]> {
  const digests = (list: readonly CompiledPolicy[]) =>
    new Map(list.map(({ policy, sha256 }) => [policy.name, sha256]));
  const [old, now] = [digests(before), digests(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((name) => ({ name, before: old.get(name) ?? null, after: now.get(name) ?? null }))
    .filter((one) => one.before !== one.after);
}

/** @returns the keys with another value, as `table.key`. */
export function changedKeys(before: Config, after: Config): string[] {
  type Tables = Record<string, Record<string, unknown>>;
  const [old, now] = [before, after] as unknown as [Tables, Tables];
  return Object.keys(now).flatMap((table) =>
    Object.keys(now[table])
      .filter((key) => canonicalJson(old[table][key]) !== canonicalJson(now[table][key]))
      .map((key) => `${table}.${key}`)
  );
}
