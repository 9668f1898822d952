/** Reads damaged policy files in a thread of its own. */
import type { Policy } from "../../src/policy/policy.ts";
import { readPolicy } from "../../src/policy/policy_text.ts";
import { damagedPolicy } from "./policy_files.ts";
import { serve } from "./reading.ts";

/** @returns what a policy that was read lacks to be one. */
function faultOf({ name, limits, forbid, require, examples }: Policy): string | null {
  const ids = [...forbid, ...require].map(({ id }) => id);
  if (new Set(ids).size < ids.length) return `ids twice: ${ids}`;
  if (ids.some((id) => !/^[A-Za-z0-9][\w.-]{0,63}$/.test(id))) return `bad ids: ${ids}`;
  if (!/^[a-z][a-z0-9_-]{0,31}$/.test(name)) return `bad name: ${name}`;
  if (limits.maxHold === "all" && limits.maxBytes === null) return "holds without end";
  for (const { match, appliesTo } of forbid) {
    if (appliesTo.length === 0) return "a rule that applies to nothing";
    if (match.kind === "words" && !match.words.every((word) => word !== "")) return "an empty word";
    if (match.kind === "regex" && match.regex.source === "") return "an empty expression";
  }
  for (const { text, at, rule } of examples) {
    if (at !== null && at > new TextEncoder().encode(text).length) return `at ${at} in ${text}`;
    if (rule !== null && !ids.includes(rule) && !rule.startsWith("limit:")) return `no ${rule}`;
  }
  return null;
}

serve({
  textOf: damagedPolicy,
  read: (text) => readPolicy(text, "f.toml"),
  refusal: "policy-invalid",
  path: "f.toml",
  examine: faultOf,
  every: 1,
});
