/** The monitor's automaton says just what the minimal one says, the kernel's, at the same byte. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { shippedPolicies, shippedPolicy } from "../../diodes/shipped.ts";
import { anyRegex } from "../../tests/judge/random_regex.ts";
import { seeded } from "../../tests/judge/random.ts";
import { policyWith } from "../../tests/tools/policies.ts";
import { minimalOf, refinementMap } from "../../tests/tools/refinement.ts";
import { VeiError } from "../base/errors.ts";
import { type Charset, DIRECTIONS, type Policy } from "../policy/policy.ts";
import { readPolicy } from "../policy/policy_text.ts";
import { readRegex } from "../policy/regex.ts";
import { type CompiledGroup, compileMonitor } from "./compile_monitor.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261207);
const ROUNDS = Number(Deno.env.get("VEI_ROUNDS") ?? 150);

/** The kernel can hold a table of at most 65,536 entries: these groups of rules need more. */
const LARGER = new Set(["secrets"]);

/** @returns how many states of the one automaton and of the other. */
function mapped(policy: Policy, group: CompiledGroup, charset: Charset) {
  const onto = minimalOf(policy, group.rules, charset);
  const image = refinementMap(group.automaton, onto);
  return { states: image.length, images: new Set(image).size, forKernel: onto.forKernel };
}

/** @returns the charset that a group's automaton watches over. */
function charsetOf({ limits }: Policy, { within }: CompiledGroup, output: boolean): Charset {
  return output && within === null ? limits.charset : "bytes";
}

for (const name of shippedPolicies()) {
  Deno.test(`${name}: every state refines one of the minimal automaton, verdict by verdict`, () => {
    const policy = readPolicy(shippedPolicy(name), name);
    const { limits } = policy;
    // The kernel has no automaton of whole texts in UTF-8: without it, and with it.
    const charsets = limits.charset === "utf-8" ? ["bytes", "utf-8"] as const : [limits.charset];
    for (const charset of charsets) {
      const same = { ...policy, limits: { ...limits, charset } };
      for (const direction of DIRECTIONS) {
        for (const group of compileMonitor(same, direction).groups) {
          const watched = charsetOf(same, group, direction === "output");
          const { forKernel } = mapped(same, group, watched);
          assert(forKernel || watched === "utf-8" || LARGER.has(name), `${name} ${direction}`);
        }
      }
    }
  });
}

Deno.test("abx|cabx: more states than the minimal automaton, which cannot tell 2 from 3", () => {
  const policy = policyWith([{ words: ["abx", "cabx"] }], "bytes");
  const [group] = compileMonitor(policy, "output").groups;
  const { states, images } = mapped(policy, group, "bytes");
  assert(states > images, `${states} ${images}`);
});

Deno.test("random policies: the same verdict at the same byte", () => {
  const random = seeded(SEED);
  let done = 0;
  let refined = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const charset = random.pick(["utf-8", "ascii", "printable", "bytes"] as const);
    const rules = Array.from({ length: 1 + random.below(3) }, () => {
      const { source, flags } = anyRegex(random, 2);
      return { source, flags: flags.replace(/[mu]/g, "") + "u" };
    });
    const what = `seed ${SEED} round ${round}: ${
      rules.map(({ source, flags }) => `/${source}/${flags}`).join(" ")
    } ${charset}`;
    const policy = randomPolicy(rules, charset, random.once(3));
    if (policy === null) continue;
    let groups: readonly CompiledGroup[];
    try {
      groups = compileMonitor(policy, "output").groups;
    } catch (error) {
      if (!(error instanceof VeiError)) throw error;
      const refused = ["policy-forbids-everything", "policy-holds-back", "policy-too-large"];
      assert(refused.includes(error.code), `${what}: ${error.message}`);
      continue;
    }
    for (const group of groups) {
      try {
        const { states, images } = mapped(policy, group, charsetOf(policy, group, true));
        if (states > images) refined++;
        done++;
      } catch (error) {
        throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
      }
    }
  }
  assert(done > ROUNDS / 4 && refined > ROUNDS / 50, `${done} ${refined}`);
});

/** @returns null where an expression is none with flag u. */
function randomPolicy(
  rules: readonly { source: string; flags: string }[],
  charset: Charset,
  required: boolean,
): Policy | null {
  const policy = policyWith([], charset);
  const common = { description: "", ignoreCase: false };
  try {
    const read = rules.map(({ source, flags }) => readRegex(source, flags));
    const regexes = required ? read.slice(1) : read;
    return {
      ...policy,
      limits: { ...policy.limits, maxHold: 2 ** 30 },
      forbid: regexes.map((regex, i) => ({
        ...common,
        id: `forbid${i}`,
        match: { kind: "regex", regex },
        appliesTo: ["output"],
        within: null,
      })),
      require: required
        ? [{ ...common, id: "require0", what: { kind: "regex", regex: read[0] } }]
        : [],
    };
  } catch {
    return null;
  }
}

Deno.test("the map finds an automaton that says something else", () => {
  const [rules, others] = [["ab\\b|xay"], ["ab\\b|xaz"]].map((some) => policyWith(some, "bytes"));
  const [group] = compileMonitor(rules, "output").groups;
  assertEquals(mapped(rules, group, "bytes").forKernel, true);
  assertThrows(() => mapped(others, group, "bytes"), Error, "not the same verdict");
  // The same at every byte, but not at the end.
  const [ended, unended] = ["ab$|abc|xy", "abc|xy"].map((one) => policyWith([one], "bytes"));
  const [first] = compileMonitor(ended, "output").groups;
  assertThrows(() => mapped(unended, first, "bytes"), Error, "at the end");
});
