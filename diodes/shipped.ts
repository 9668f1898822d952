/** The diodes and policies that come with VEI, as text. */
import { Exit, VeiError } from "../src/base/errors.ts";
import closed from "./closed.toml" with { type: "text" };
import hateless from "./hateless.toml" with { type: "text" };
import json from "./json.toml" with { type: "text" };
import json_prefix from "./json_prefix.toml" with { type: "text" };
import json_start from "./json_start.toml" with { type: "text" };
import minimal from "./minimal.toml" with { type: "text" };
import printable16 from "./printable16.toml" with { type: "text" };
import printable64 from "./printable64.toml" with { type: "text" };
import text from "./text.toml" with { type: "text" };
import utf8 from "./utf8.toml" with { type: "text" };
import hatelessPolicy from "./policies/hateless.toml" with { type: "text" };
import jsonOnly from "./policies/json-only.toml" with { type: "text" };
import noLinks from "./policies/no-links.toml" with { type: "text" };
import open from "./policies/open.toml" with { type: "text" };
import printable from "./policies/printable.toml" with { type: "text" };
import realityOnly from "./policies/reality-only.toml" with { type: "text" };
import secrets from "./policies/secrets.toml" with { type: "text" };

const DIODES: Record<string, string> = {
  text,
  hateless,
  minimal,
  printable16,
  printable64,
  json,
  json_start,
  json_prefix,
  utf8,
  closed,
};
const POLICIES: Record<string, string> = {
  secrets,
  hateless: hatelessPolicy,
  "reality-only": realityOnly,
  "no-links": noLinks,
  "json-only": jsonOnly,
  printable,
  open,
};

/** @returns the names of the shipped diodes. */
export function shippedDiodes(): string[] {
  return Object.keys(DIODES);
}

/** @returns the names of the shipped policies. */
export function shippedPolicies(): string[] {
  return Object.keys(POLICIES);
}

/** Before a policy's name, where a diode's stands. */
export const POLICY_PREFIX = "policy:";

/** @returns the names of the diodes that shipped policies make: `open` has no rules. */
export function shippedPolicyDiodes(): string[] {
  return shippedPolicies().filter((name) => name !== "open").map((name) => POLICY_PREFIX + name);
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
