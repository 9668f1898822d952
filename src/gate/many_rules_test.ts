/** A policy of 1,000 words and 100 expressions: compiled, small, and judged as by RegExp. */
import { assert, assertEquals } from "@std/assert";
import { seeded } from "../../tests/judge/random.ts";
import { textLike } from "../../tests/judge/random_regex.ts";
import { inPieces } from "../../tests/tools/cuts.ts";
import { expressionsOf, policyOfMany, tableBytes } from "../../tests/tools/many_rules.ts";
import { compileMonitor } from "./compile_monitor.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261129);
const MOST_BYTES = 64e6;

Deno.test("1,000 words and 100 expressions: grouped, under 64 MB, as RegExp has it", () => {
  const policy = policyOfMany(1000, 100);
  const { program, groups } = compileMonitor(policy, "output");
  assert(tableBytes(program) < MOST_BYTES, `${tableBytes(program)}`);
  assert(groups.length < 40, `${groups.length} automata`);
  // Each rule is in one of them.
  const rules = groups.flatMap((group) => group.rules);
  assertEquals(rules.toSorted((a, b) => a - b), policy.forbid.map((_, i) => i));

  const random = seeded(SEED);
  const expressions = expressionsOf(policy);
  let violations = 0;
  for (let round = 0; round < 3000; round++) {
    const { source, flags } = random.pick(expressions);
    const text = `On ${textLike(random, { source, flags })}, she said.`;
    const { violation } = inPieces(program, new TextEncoder().encode(text), []);
    assertEquals(
      violation !== null,
      expressions.some((one) => one.test(text)),
      `seed ${SEED} round ${round}: ${JSON.stringify(text)}`,
    );
    if (violation === null) continue;
    violations++;
    assert(expressions[violation.rule].test(text), `${program.rules[violation.rule]}: ${text}`);
  }
  assert(violations > 200 && violations < 2800, `${violations}`);
});
