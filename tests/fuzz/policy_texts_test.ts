/** Texts that were damaged, under the shipped policies: judged as by RegExp and JSON.parse. */
import { assert, assertEquals } from "@std/assert";
import { shippedPolicies, shippedPolicy } from "../../diodes/shipped.ts";
import { compileMonitor } from "../../src/gate/compile_monitor.ts";
import { CHARSET_BYTES, type Policy } from "../../src/policy/policy.ts";
import { readPolicy } from "../../src/policy/policy_text.ts";
import { type Random, seeded } from "../judge/random.ts";
import { compareCut, inPieces, randomCuts } from "../tools/cuts.ts";
import { expressionsOf } from "../tools/many_rules.ts";
import { damage } from "./damage.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261202);
const TEXTS = 100_000;

const SCRAPS = [
  ...["hate", "HATE", "ſ", "\u212a", "é", "e\u0301", "\u200b", "\0", "\x1b[2J", "\ufeff", "\ufffd"],
  ...["&#104;", "%68", "\\u0068", "imagine", "suppose", "http", "://", "www.", ".com", "](", "<a"],
  ...[
    "{",
    "}",
    "[",
    "]",
    '"',
    ":",
    ",",
    "-0",
    "1e9",
    "true",
    "null",
    "\\",
    "\\ud800",
    "0".repeat(40),
  ],
  ...[
    "AKIA",
    "ghp",
    "_",
    "-",
    "sk",
    "eyJ",
    "-----BEGIN",
    " PRIVATE KEY-----",
    "A".repeat(40),
    "😀",
  ],
];

const policies = shippedPolicies().map((name) => {
  const policy = readPolicy(shippedPolicy(name), name);
  const { program } = compileMonitor(policy, "output");
  return { name, policy, program, expressions: expressionsOf(policy) };
});
const EXAMPLES = policies.flatMap(({ policy }) => policy.examples.map(({ text }) => text));

/** Mostly texts; one in four with a byte that may not be one of UTF-8. */
function damaged(random: Random, own: readonly string[]): Uint8Array {
  let text = random.pick(own.length === 0 || random.once(2) ? EXAMPLES : own);
  for (let more = random.below(3); more > 0; more--) {
    text = damage(random, text, SCRAPS, () => random.pick(EXAMPLES));
  }
  // A damaged surrogate is U+FFFD.
  const bytes = new TextEncoder().encode(text);
  if (random.once(4) && bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

/** @returns whether the content, as a whole, breaks a rule. */
function breaks({ limits, forbid, require }: Policy, all: readonly RegExp[], content: Uint8Array) {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(content);
  if (forbid.some(({ appliesTo }, i) => appliesTo.includes("output") && all[i].test(text))) {
    return true;
  }
  for (const { what } of require) {
    if (what.kind === "json" && !isJson(text, what.maxDepth)) return true;
  }
  const { charset } = limits;
  if (charset === "bytes") return false;
  if (charset === "utf-8") {
    return new TextEncoder().encode(text).some((byte, i) => byte !== content[i]) ||
      new TextEncoder().encode(text).length !== content.length;
  }
  const ranges = CHARSET_BYTES[charset];
  return content.some((byte) => !ranges.some(([first, last]) => first <= byte && byte <= last));
}

function isJson(text: string, maxDepth: number): boolean {
  const depth = (value: unknown): number =>
    typeof value !== "object" || value === null
      ? 0
      : 1 + Object.values(value).reduce((most, one) => Math.max(most, depth(one)), 0);
  try {
    return depth(JSON.parse(text)) <= maxDepth;
  } catch {
    return false;
  }
}

Deno.test("100,000 damaged texts under the shipped policies: as RegExp and JSON.parse have it", () => {
  const random = seeded(SEED);
  const violations = new Map<string, number>();
  for (let number = 0; number < TEXTS; number++) {
    const { name, policy, program, expressions } = random.pick(policies);
    const content = damaged(random, policy.examples.map(({ text }) => text));
    const what = () => `seed ${SEED} text ${number} ${name}: ${JSON.stringify([...content])}`;
    const whole = inPieces(program, content, []);
    const { violation, released } = whole;
    assertEquals(violation !== null, breaks(policy, expressions, content), what());
    assert(released === (violation?.start ?? content.length), what());
    if (violation !== null) violations.set(name, 1 + (violations.get(name) ?? 0));
    compareCut(program, content, randomCuts(random, content.length, 3), whole);
  }
  for (const name of shippedPolicies()) {
    const count = violations.get(name) ?? 0;
    const some = policies.length * count / TEXTS;
    if (name === "open") assertEquals(count, 0);
    else assert(some > 0.02 && some < 0.98, `${name}: ${count}`);
  }
});
