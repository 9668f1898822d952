/** The diode and the policy that a configuration names, read where they are and compiled. */
import type { Config } from "../base/config.ts";
import { type CompiledPolicy, compilePolicy } from "../api/policy.ts";
import { ETHERNET_FRAME } from "../bpf/frame.ts";
import type { LinkRules } from "../bpf/layout.ts";
import { compileDiode, type DiodePlan } from "../../diodes/plan.ts";
import { requireFit } from "../../diodes/preflight.ts";
import { GUEST_MAC, GUEST_PORT, HOST_MAC } from "../../enclave/link.ts";
import { cachedPolicy } from "./policy_cache.ts";
import { type NamedText, namedText } from "./named_text.ts";

/**
 * @throws VeiError `diode-…` when it cannot be read, understood or compiled; `diode-unfit` when it
 * refuses what the enclave's model server has to say.
 */
export async function configuredDiode(
  { diode, link }: Pick<Config, "diode" | "link">,
): Promise<DiodePlan> {
  const { text, path } = await textOf("diode", "[diode] name", diode.name);
  const plan = await compileDiode(text, path, enclaveRules(link));
  requireFit(plan);
  return plan;
}

/** @returns the rules of the enclave's link. */
export function enclaveRules(link: Config["link"]): LinkRules {
  return {
    hostMac: HOST_MAC,
    guestMac: GUEST_MAC,
    hostIp: link.host,
    guestIp: link.guest,
    guestPort: GUEST_PORT,
    maxFrame: ETHERNET_FRAME,
  };
}

/**
 * @param name a shipped policy's name, or the path of a file.
 * @param state the folder in which compiled policies are kept; null: they are not.
 * @throws VeiError `policy-…`.
 */
export async function configuredPolicy(
  name: string,
  state: string | null,
): Promise<CompiledPolicy> {
  const { text, path } = await textOf("policy", "[policy] default", name);
  // From the source, nothing tells whether the compiler is another one than it was.
  if (state === null || !Deno.build.standalone) return await compilePolicy(text, path);
  return await cachedPolicy(text, path, `${state}/policies`);
}

/** A file that a key of the configuration names, or what is shipped under that name. */
function textOf(what: "diode" | "policy", key: string, name: string): Promise<NamedText> {
  return namedText(what, name, `${key} takes a shipped ${what}'s name or the path of a file`);
}
