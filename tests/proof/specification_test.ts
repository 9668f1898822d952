/** The proofs are of this specification, and of none that is near it. */
import { assert, assertEquals } from "@std/assert";
import { diodeProgram } from "../../src/bpf/program.ts";
import { decode } from "../../src/proof/checker/program/decode.ts";
import { STAND_INS } from "../../src/proof/program_certificate.ts";
import { ConditionJudge } from "./condition_judge.ts";
import { specificationMutants } from "./specification_mutants.ts";

const PROGRAM = decode(diodeProgram(STAND_INS), STAND_INS);

/** Changes after which every condition still holds, and at how many places: they mean the same. */
const SAME: Record<string, number> = {
  // The mask is all bits.
  "accepts > linkRules >  > is and => left": 2,
  "accepts > linkRules > is and => left": 8,
  "accepts > payloadPasses > is and => left": 1,
  "accepts > payloadStart > is and => left": 1,
  "payloadPasses > is and => left": 1,
  "payloadStart > is and => left": 1,
  // All bits but the lowest: with it the flags are none that pass, and a reserved bit is set.
  "accepts > linkRules > is constant 255 => - 1": 3,
  "accepts > payloadPasses > is constant 255 => - 1": 1,
  "accepts > payloadStart > is constant 255 => - 1": 1,
  "payloadStart > is constant 255 => - 1": 1,
  // Nothing is below 0.
  "accepts > linkRules > flag eq => ule": 3,
  "accepts > linkRules > is eq => ule": 4,
  "accepts > payloadPasses > flag eq => ule": 1,
  "accepts > payloadPasses eq => ule": 1,
  "accepts > payloadStart > flag eq => ule": 1,
  "calmLaw eq => ule": 1,
  "payloadPasses > flag eq => ule": 1,
  "payloadPasses eq => ule": 1,
  "payloadStart > flag eq => ule": 1,
  "restLaw > stopped eq => ule": 1,
  "stopped eq => ule": 1,
  // Headers of 54 bytes at least are said twice: of the frame, and of where its payload begins.
  "accepts > linkRules > number constant 54 => - 1": 2,
  "accepts > linkRules all => without the 1th": 1,
  // Where only fixed options may be, the data offset says where they end, too.
  "accepts > payloadStart ite => then": 1,
  "payloadStart ite => then": 1,
  // The table's rows begin at 0.
  "calmLaw > restless add => sub": 2,
  "restless add => sub": 1,
  // What is supposed of maps, otherwise or more of it: enough for the program as well, but not so
  // of every map, as laws_test.ts shows.
  "calmLaw and => left": 1,
  "calmLaw and => or": 1,
  "calmLaw and => right": 1,
  "decidedLaw > decided ult => ule": 1,
  "decidedLaw and => left": 1,
  "decidedLaw and => or": 1,
  "decidedLaw and => right": 1,
  "walkLaw > number constant 1536 => - 1": 1,
  "walkLaw ule => ult": 1,
};

Deno.test("another constant, operator or rule less: the proofs fail, and it is not so", async () => {
  const judge = await ConditionJudge.make();
  const same: Record<string, number> = {};
  let different = 0;
  for (const mutant of specificationMutants(PROGRAM)) {
    const { fails, oldProofs } = await judge.judge(mutant.conditions());
    if (fails !== null) {
      assertEquals(oldProofs, false, mutant.name);
      different++;
    } else {
      const name = mutant.name.replaceAll(/:\d+/g, "");
      same[name] = (same[name] ?? 0) + 1;
    }
  }
  console.log(`${different} specifications differ, and none is proved`);
  assert(different > 500);
  assertEquals(same, SAME);
});
