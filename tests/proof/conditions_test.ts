/** Every condition of the program, asked of five tools that are not ours. */
import { assert, assertEquals } from "@std/assert";
import { blast } from "../../src/proof/checker/program/blast.ts";
import { programConditions } from "../../src/proof/program_certificate.ts";
import { dratOf } from "../../src/proof/dimacs.ts";
import { smtlibOf } from "../../src/proof/smtlib.ts";
import { dratTrimAccepts, lratCheckAccepts } from "./drat_trim.ts";
import { shippedProofs } from "./shipped_program.ts";
import { askSmt, cadical } from "./solvers.ts";

const CONDITIONS = programConditions();

Deno.test("z3 and cvc5 find every condition to hold, by its words", async () => {
  for (const condition of CONDITIONS) {
    const text = smtlibOf(condition);
    assertEquals(await askSmt("z3", text), "unsat", condition.name);
    assertEquals(await askSmt("cvc5", text), "unsat", condition.name);
  }
});

Deno.test("cadical finds every condition to hold, by its clauses", async () => {
  for (const condition of CONDITIONS) {
    assertEquals((await cadical(blast(condition))).answer, "unsat", condition.name);
  }
});

Deno.test("drat-trim and lrat-check accept every shipped proof", async () => {
  const proofs = await shippedProofs();
  for (const condition of CONDITIONS) {
    const clauses = blast(condition);
    const proof = proofs.get(condition.name)!;
    assert(await dratTrimAccepts(clauses, dratOf(proof)), `drat-trim: ${condition.name}`);
    assert(await lratCheckAccepts(clauses, proof), `lrat-check: ${condition.name}`);
  }
});

Deno.test("the five say no where they should", async () => {
  // Without what is known of the table, a calm round may lead anywhere.
  const { hypotheses, ...rest } = CONDITIONS.find(({ name }) => name === "head.middle")!;
  const weaker = { ...rest, hypotheses: hypotheses.slice(0, 3) };
  assertEquals(await askSmt("z3", smtlibOf(weaker)), "sat");
  assertEquals(await askSmt("cvc5", smtlibOf(weaker)), "sat");
  assertEquals((await cadical(blast(weaker))).answer, "sat");
  const proof = (await shippedProofs()).get("head.middle")!;
  const clauses = blast(weaker);
  assertEquals(await dratTrimAccepts(clauses, dratOf(proof)), false);
  assertEquals(await lratCheckAccepts(clauses, proof), false);
});
