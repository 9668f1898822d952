/** All that `vei` needs, each found out by trying: for `vei doctor`, and the needed part before `serve`. */
import type { Instance } from "../host/instance.ts";
import { netnsExists } from "../../ffi/netns.ts";
import {
  type Check,
  GROUPS,
  lookAt,
  type Need,
  needMissing,
  type NeedText,
  type Place,
} from "./need.ts";
import { CONFIG_CHECKS } from "./needs_config.ts";
import { KERNEL_TEXTS, kernelNeeds, startNeeds } from "./needs_kernel.ts";
import { MACHINE_CHECKS } from "./needs_machine.ts";
import { requirePrograms } from "./needs_programs.ts";
import { SERVICE_CHECKS } from "./needs_service.ts";
import { SETUP_CHECKS } from "./needs_setup.ts";
import { STATE_CHECKS } from "./needs_state.ts";

const CHECKS: readonly Check[] = [
  ...MACHINE_CHECKS,
  ...STATE_CHECKS,
  ...CONFIG_CHECKS,
  ...SETUP_CHECKS,
  ...SERVICE_CHECKS,
];

/** Every need in words, in the order of `vei doctor`: what its lack means, and what to do then. */
export const NEED_TEXTS: readonly NeedText[] = [
  ...KERNEL_TEXTS,
  ...CHECKS.map(({ id, group, wanted, needed, means, mend }) => ({
    ...{ id, group, wanted, needed, means, mend },
  })),
];

/** @returns everything that was looked at, in the order of the groups. */
export async function allNeeds(place: Place): Promise<Need[]> {
  const needs = kernelNeeds(place);
  for (const group of Object.keys(GROUPS)) {
    // Side by side within a group, so that slow programs do not add up.
    const checks = CHECKS.filter((check) => check.group === group);
    needs.push(...await Promise.all(checks.map((check) => lookAt(check, place))));
  }
  return needs;
}

/**
 * Before anything is made: what a start cannot do without is there, and was tried. The rest of what
 * `vei doctor` looks at is tried by the start itself.
 * @throws VeiError `need-missing` naming the first that is not; unknown counts as not there.
 */
export async function requireMachine({ netns }: Instance): Promise<void> {
  // One that is there need not be made: under a service manager `vei prepare` has done it, and we, in
  // a mount namespace of our own, could not.
  const prepared = netnsExists(netns);
  const missing = startNeeds(prepared).find(({ result }) => result !== "yes");
  if (missing) throw needMissing(missing);
  await requirePrograms();
}
