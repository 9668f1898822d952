/**
 * A policy's text → a diode called `policy:NAME`, of the rules that single packets can be held to and
 * that have room in the kernel's one table. From the predicate on it is a diode like any other.
 */
import { fitting, type Misfit } from "../src/automaton/fit.ts";
import { Exit, VeiError } from "../src/base/errors.ts";
import type { LinkRules } from "../src/bpf/layout.ts";
import { parsePredicate } from "../src/policy/parse.ts";
import { conjunction, packetRules } from "../src/policy/policy_predicate.ts";
import { readPolicy } from "../src/policy/policy_text.ts";
import type { Policy } from "../src/policy/policy.ts";
import { formatPredicate, type Predicate } from "../src/policy/predicate.ts";
import { wholeFile } from "../src/policy/source.ts";
import { type DiodePlan, planOf, type PolicyShare } from "./plan.ts";
import { POLICY_PREFIX } from "./shipped.ts";

const WORDS: Record<Misfit, string> = {
  alone: "its automaton alone is too large for the kernel's table",
  together: "with the rules that are in, the kernel's table would be too large",
  untried: "so many rules are not tried: the kernel has one table for all of them",
};

/** @returns what a diode takes over of a policy, and the predicate that it comes to; null: none. */
export function shareOf(policy: Policy): { share: PolicyShare; predicate: Predicate | null } {
  const all = packetRules(policy);
  const why = new Map<string, string>();
  for (const rule of all) if (rule.why !== null) why.set(rule.id, rule.why);
  const able = all.filter(({ predicate }) => predicate !== null);
  fitting(able.map(({ predicate }) => predicate!)).forEach((misfit, i) => {
    if (misfit !== null) why.set(able[i].id, WORDS[misfit]);
  });
  const held = all.filter(({ id }) => !why.has(id));
  return {
    predicate: conjunction(held),
    share: {
      held: held.map(({ id, predicate }) => ({ id, predicate: formatPredicate(predicate!) })),
      left: [...why].map(([id, why]) => ({ id, why })),
    },
  };
}

/**
 * @param text a policy's file; `path` is named in errors.
 * @throws VeiError `policy-invalid`, `diode-policy-empty` where no rule is left, `link-rules`.
 */
export async function compilePolicyDiode(
  text: string,
  path: string,
  rules: LinkRules,
): Promise<DiodePlan> {
  const policy = readPolicy(text, path);
  const { share, predicate } = shareOf(policy);
  if (predicate === null) throw nothingLeft(path, share);
  const { name, description } = policy;
  const file = {
    name: `${POLICY_PREFIX}${name}`,
    description,
    scope: "packet" as const,
    // What is compiled is what is shown.
    predicate: parsePredicate(wholeFile(formatPredicate(predicate), path)),
  };
  return await planOf(file, text, path, rules, share);
}

function nothingLeft(path: string, { left: [first] }: PolicyShare): VeiError {
  const because = first === undefined ? "it has none" : `${first.id}: ${first.why}`;
  return new VeiError({
    code: "diode-policy-empty",
    message: `${path}: no rule can be enforced on single packets (${because})`,
    hint: "the monitor enforces it; as [diode] name take a diode, such as `text`",
    exit: Exit.config,
  });
}
