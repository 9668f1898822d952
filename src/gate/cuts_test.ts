/** However a content is cut: the same bytes, the same verdict, and never a byte of a violation. */
import { assert, assertEquals } from "@std/assert";
import { shippedPolicies, shippedPolicy } from "../../diodes/shipped.ts";
import { seeded } from "../../tests/judge/random.ts";
import { compareCut, cutAtRandom, inPieces, randomCuts } from "../../tests/tools/cuts.ts";
import { programWith } from "../../tests/tools/policies.ts";
import { readPolicy } from "../policy/policy_text.ts";
import { compileMonitor } from "./compile_monitor.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261130);

Deno.test("a million cuts of random texts under random policies", () => {
  const { cuts, texts, violations, atEnd } = cutAtRandom(SEED, 1_000_000);
  assert(cuts >= 1_000_000);
  const passed = texts - violations;
  assert(violations > texts / 4 && passed > texts / 10, `${violations} of ${texts}`);
  assert(atEnd > 0, `${atEnd} of ${texts}`);
});

Deno.test("the shipped policies' examples: every cut in two, byte by byte, at random", () => {
  const random = seeded(SEED);
  for (const name of shippedPolicies()) {
    const policy = readPolicy(shippedPolicy(name), name);
    const programs = {
      input: compileMonitor(policy, "input").program,
      output: compileMonitor(policy, "output").program,
    };
    for (const { text, verdict, rule, at, appliesTo } of policy.examples) {
      const program = programs[appliesTo];
      const content = new TextEncoder().encode(`${text} `.repeat(verdict === "pass" ? 1 : 2));
      const short = new TextEncoder().encode(text);
      const { violation } = inPieces(program, short, []);
      assertEquals(violation === null ? "pass" : "violation", verdict, `${name}: ${text}`);
      if (violation !== null && rule !== null) assertEquals(program.rules[violation.rule], rule);
      if (violation !== null && at !== null) assertEquals(violation.offset, at, `${name}: ${text}`);
      for (const bytes of [short, content]) {
        const whole = inPieces(program, bytes, []);
        if (whole.violation !== null) assertEquals(whole.released, whole.violation.start);
        compareCut(program, bytes, [...bytes.keys()], whole);
        for (const place of bytes.keys()) compareCut(program, bytes, [place], whole);
        for (let more = 0; more < 20; more++) {
          compareCut(program, bytes, randomCuts(random, bytes.length, 12), whole);
        }
      }
    }
  }
});

Deno.test("a violation over two tokens, however long: nothing of it is released", () => {
  const program = programWith([{ words: ["hate"], ignoreCase: true }, "\\bx(?:yz){40}"]);
  for (const [head, match] of [["I ", "hate"], ["", "HATE"], ["ha ", `x${"yz".repeat(40)}`]]) {
    const content = new TextEncoder().encode(head + match);
    for (let cut = 1; cut < content.length; cut++) {
      const { released, violation } = inPieces(program, content, [cut]);
      assertEquals(released, head.length, `${head}${match} ${cut}`);
      assertEquals([violation?.start, violation?.offset], [head.length, content.length - 1]);
    }
  }
});
