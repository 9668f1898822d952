/** What is said of the program's places: all of it is needed for what leads on from there. */
import { assertEquals } from "@std/assert";
import { diodeProgram } from "../../src/bpf/program.ts";
import { blast } from "../../src/proof/checker/program/blast.ts";
import { Part, partsOf } from "../../src/proof/checker/program/conditions.ts";
import { decode } from "../../src/proof/checker/program/decode.ts";
import { STAND_INS } from "../../src/proof/program_certificate.ts";
import { programCuts } from "../../src/proof/program_places.ts";
import { cadical } from "./solvers.ts";

const PROGRAM = decode(diodeProgram(STAND_INS), STAND_INS);

Deno.test("what a condition rests on, it needs: without it, it is not so", async () => {
  const cuts = programCuts();
  const notNeeded: string[] = [];
  for (const from of partsOf(cuts)) {
    const conditions = new Part(PROGRAM, cuts, from).conditions();
    const supposed = conditions[0].hypotheses;
    // The first one is of every frame: that its length is one. Then what is said of the place.
    for (let i = 1; i < supposed.length; i++) {
      const hypotheses = supposed.toSpliced(i, 1);
      let needed = false;
      for (const condition of conditions) {
        needed ||= (await cadical(blast({ ...condition, hypotheses }))).answer === "sat";
      }
      const { facts, laws } = cuts.places[from];
      if (!needed) notNeeded.push(`${from}: ${JSON.stringify([...facts, ...laws][i - 1])}`);
    }
  }
  assertEquals(notNeeded, []);
});
