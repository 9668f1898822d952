/** The diodes and policies that come with VEI, as text. */
import { Exit, VeiError } from "../src/base/errors.ts";
import hateless from "./hateless.toml" with { type: "text" };
import hatelessPolicy from "./policies/hateless.toml" with { type: "text" };

const DIODES: Record<string, string> = { hateless };
const POLICIES: Record<string, string> = { hateless: hatelessPolicy };

/** @returns the names of the shipped diodes. */
export function shippedDiodes(): string[] {
  return Object.keys(DIODES);
}

/** @returns the names of the shipped policies. */
export function shippedPolicies(): string[] {
  return Object.keys(POLICIES);
}

/** @returns the text of a shipped diode's file. @throws VeiError `diode-unknown`. */
export function shippedDiode(name: string): string {
  return textOf(DIODES, "diode", name);
}

/** @returns the text of a shipped policy's file. @throws VeiError `policy-unknown`. */
export function shippedPolicy(name: string): string {
  return textOf(POLICIES, "policy", name);
}

function textOf(texts: Record<string, string>, what: "diode" | "policy", name: string): string {
  if (Object.hasOwn(texts, name)) return texts[name];
  throw new VeiError({
    code: `${what}-unknown`,
    message: `There is no ${what} ${JSON.stringify(name)}`,
    hint: `shipped: ${Object.keys(texts).join(", ")}; or name a file by a path with a slash`,
    exit: Exit.config,
  });
}
