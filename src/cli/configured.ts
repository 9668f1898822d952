/** The diode and the policy that a configuration names, read where they are and compiled. */
import type { Config } from "../base/config.ts";
import { type CompiledPolicy, type Policies, refusePolicyTwins } from "../api/policy.ts";
import { ETHERNET_FRAME } from "../bpf/frame.ts";
import type { LinkRules } from "../bpf/layout.ts";
import { requireFit } from "../../diodes/preflight.ts";
import { proveDiode, type ProvenDiode } from "../../diodes/proof.ts";
import { GUEST_MAC, GUEST_PORT, HOST_MAC } from "../../enclave/link.ts";
import { policyApart, policyDiodeApart } from "./compile_apart.ts";
import { cachedPolicy } from "./policy_cache.ts";
import { namedDiode } from "./named_diode.ts";
import { namedText } from "./named_text.ts";

/**
 * @throws VeiError `diode-…` when it cannot be read, understood or compiled; `diode-unfit` when it
 * refuses what the enclave's model server has to say; `proof-…` when it is not proved.
 */
export async function configuredDiode(
  { diode, link }: Pick<Config, "diode" | "link">,
): Promise<ProvenDiode> {
  const hint = "[diode] name takes a shipped diode's name, the path of a file, or policy: and a " +
    "policy's name or path";
  const plan = await namedDiode(diode.name, enclaveRules(link), hint, policyDiodeApart);
  requireFit(plan);
  return await proveDiode(plan);
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
 * @param state the folder in which compiled policies are kept.
 * @param keep whether those that are compiled now are kept; else those that are there are used, if
 * the folder is our own: nobody else is to say what a policy does.
 * @returns every policy that the configuration names.
 * @throws VeiError `policy-…`.
 */
export async function configuredPolicies(
  { policy: { default: usual, allow } }: Pick<Config, "policy">,
  state: string,
  keep = true,
): Promise<Policies> {
  const policies = {
    policy: await configuredPolicy("[policy] default", usual, state, keep),
    allowed: await Array.fromAsync(
      allow,
      (name) => configuredPolicy("[policy] allow", name, state, keep),
    ),
  };
  refusePolicyTwins(policies);
  return policies;
}

async function configuredPolicy(
  key: string,
  name: string,
  state: string,
  keep: boolean,
): Promise<CompiledPolicy> {
  const hint = `${key} takes a shipped policy's name or the path of a file`;
  const { text, path } = await namedText("policy", name, hint);
  // From the source, nothing tells whether the compiler is another one than it was.
  if (!Deno.build.standalone || !(keep || await isOurs(state))) {
    return (await policyApart(text, path)).compiled;
  }
  return await cachedPolicy(text, path, `${state}/policies`, policyApart, keep);
}

async function isOurs(folder: string): Promise<boolean> {
  try {
    return (await Deno.stat(folder)).uid === Deno.uid();
  } catch {
    return false;
  }
}
