/** A diode as people and configurations name it: NAME, a file's path, or `policy:` and a policy's. */
import type { LinkRules } from "../bpf/layout.ts";
import { compileDiode, type DiodePlan } from "../../diodes/plan.ts";
import { compilePolicyDiode } from "../../diodes/policy_diode.ts";
import { POLICY_PREFIX, shippedDiodes, shippedPolicyDiodes } from "../../diodes/shipped.ts";
import { namedText } from "./named_text.ts";

const HINT =
  "a diode is named by a shipped one's name, by the path of a file, or by policy: and a " +
  "policy's name or path";

/** Completes a diode's name: those that come with vei, and files. */
export const DIODE_NAMES = { wordsOrFile: [...shippedDiodes(), ...shippedPolicyDiodes()] };

/**
 * @param rules of the link that it is compiled for.
 * @param hint what to do when the file cannot be read.
 * @param compilePolicy what makes a diode of a policy.
 * @throws VeiError as namedText, compileDiode and compilePolicyDiode.
 */
export async function namedDiode(
  name: string,
  rules: LinkRules,
  hint = HINT,
  compilePolicy: typeof compilePolicyDiode = compilePolicyDiode,
): Promise<DiodePlan> {
  if (name.startsWith(POLICY_PREFIX)) {
    const { text, path } = await namedText("policy", name.slice(POLICY_PREFIX.length), hint);
    return await compilePolicy(text, path, rules);
  }
  const { text, path } = await namedText("diode", name, hint);
  return await compileDiode(text, path, rules);
}

/** @returns the rules that a diode leaves to the monitor, those of one reason in one line. */
export function leftLines({ share }: Pick<DiodePlan, "share">): string[] {
  const reasons = new Map<string, string[]>();
  for (const { id, why } of share?.left ?? []) reasons.set(why, [...reasons.get(why) ?? [], id]);
  return [...reasons].map(([why, ids]) => `${ids.join(", ")}: ${why}`);
}
