/** What is supposed where a part of the proof begins: which of it the part rests on. */
import { assertEquals } from "@std/assert";
import { diodeProgram } from "../../src/bpf/program.ts";
import { clausesOf } from "../../src/proof/checker/program/blast.ts";
import { Part, PARTS } from "../../src/proof/checker/program/conditions.ts";
import { decode } from "../../src/proof/checker/program/decode.ts";
import type { Term } from "../../src/proof/checker/program/term.ts";
import { programCuts, STAND_INS } from "../../src/proof/program_certificate.ts";
import { cadical } from "./solvers.ts";

const PROGRAM = decode(diodeProgram(STAND_INS), STAND_INS);

/** Of what is supposed in each part, in order, what no condition there rests on. */
const NOT_NEEDED: Record<typeof PARTS[number], number[]> = {
  link: [],
  payload: [0, 4],
  head: [0, 1, 4, 5, 9, 11, 13, 15, 17, 18, 19, 20],
  middle: [0, 4, 5, 9],
  tail: [0, 1, 4, 5, 7],
  decided: [0, 1, 4],
  end: [0, 1, 3, 4, 5],
};

Deno.test("what a condition rests on, it needs: without it, it is not so", async () => {
  for (const from of PARTS) {
    const conditions = new Part(PROGRAM, programCuts(), from).conditions();
    const supposed = conditions[0].hypotheses.flatMap(conjuncts);
    const notNeeded: number[] = [];
    for (const [i, one] of supposed.entries()) {
      const hypotheses = supposed.filter((other) => other !== one);
      let needed = false;
      for (const condition of conditions) {
        needed ||= (await cadical(clausesOf({ ...condition, hypotheses }))).answer === "sat";
      }
      if (!needed) notNeeded.push(i);
    }
    assertEquals(notNeeded, NOT_NEEDED[from], from);
  }
});

function conjuncts(term: Term): Term[] {
  return term.op === "and" ? term.args.flatMap(conjuncts) : [term];
}
