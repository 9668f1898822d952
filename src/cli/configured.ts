/** The diode and the policy that a configuration names, read where they are and compiled. */
import type { Config } from "../base/config.ts";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { type CompiledPolicy, compilePolicy } from "../api/policy.ts";
import type { LinkRules } from "../bpf/layout.ts";
import { compileDiode, type DiodePlan, shippedDiode } from "../../diodes/plan.ts";
import { requireFit } from "../../diodes/preflight.ts";
import { shippedPolicy } from "../../diodes/shipped.ts";
import { GUEST_MAC, GUEST_PORT, HOST_MAC } from "../../enclave/link.ts";

/** The longest frame that a guest without offloads sends: 1500 bytes and an Ethernet header. */
const MAX_FRAME = 1514;

/**
 * @throws VeiError `diode-…` when it cannot be read, understood or compiled; `diode-unfit` when it
 * refuses what the enclave's model server has to say.
 */
export async function configuredDiode(
  { diode, link }: Pick<Config, "diode" | "link">,
): Promise<DiodePlan> {
  const { text, path } = await textOf("diode", diode.name, shippedDiode);
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
    maxFrame: MAX_FRAME,
  };
}

/** @param name a shipped policy's name, or the path of a file. @throws VeiError `policy-…`. */
export async function configuredPolicy(name: string): Promise<CompiledPolicy> {
  const { text, path } = await textOf("policy", name, shippedPolicy);
  return await compilePolicy(text, path);
}

const KEYS = { diode: "[diode] name", policy: "[policy] default" } as const;

async function textOf(
  what: "diode" | "policy",
  name: string,
  shipped: (name: string) => string,
): Promise<{ text: string; path: string }> {
  if (!name.includes("/")) return { text: shipped(name), path: `${name}.toml` };
  try {
    return { text: await Deno.readTextFile(name), path: name };
  } catch (cause) {
    throw new VeiError({
      code: `${what}-unreadable`,
      message: `Cannot read the ${what} ${name}: ${messageOf(cause)}`,
      hint: `${KEYS[what]} takes a shipped ${what}'s name or the path of a file`,
      exit: Exit.config,
      cause,
    });
  }
}
