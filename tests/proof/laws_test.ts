/**
 * What the proof of the program takes for granted of the walk and of the maps is so at every place
 * that there is, and not only where a walk comes to: a certificate may ask for it anywhere.
 */
import { assert, assertEquals } from "@std/assert";
import { LAWS } from "../../src/proof/checker/program/hints.ts";
import { Specification } from "../../src/proof/checker/program/specification.ts";
import { Terms } from "../../src/proof/checker/program/term.ts";
import { seeded } from "../judge/random.ts";
import { claimOfText } from "./claims.ts";
import { evaluator, functionsOf, rowsOf } from "./evaluate.ts";

const SEED = 89, PLACES = 3000;

const PREDICATES = [
  'not contains "hate" within 40',
  'size > 2 and size <= 17 and not contains "hat"',
  "json_depth <= 2",
  "utf8",
  "matches /^(?:é|\\bk)+$/iu",
  "nothing",
  "anything",
];

function laws() {
  const t = new Terms();
  const spec = new Specification(t);
  const [start, length, index] = ["start", "length", "index"].map((name) => t.variable(name, 64));
  const state = t.variable("state", 16);
  const walk = { start, length, index, state };
  return {
    laws: evaluator(LAWS.map((law) => spec[law](walk))),
    facts: evaluator([spec.isRow(state), spec.decided(state), t.eq(spec.next(walk), state)]),
  };
}

Deno.test("the laws hold at every place: of rows, of other states, and anywhere in a frame", () => {
  const random = seeded(SEED);
  const { laws: holding, facts } = laws();
  const seen = { rows: 0, others: 0, decided: 0, stay: 0 };
  for (const text of PREDICATES) {
    const { table, config } = claimOfText(text);
    const rows = rowsOf(table);
    const states = [...rows];
    const walked = new DataView(config.buffer).getUint32(44, true);
    for (let i = 0; i < PLACES; i++) {
      const frame = random.bytes(54 + random.below(60));
      // Bytes that the words in question are made of, too.
      for (let at = 0; at < frame.length; at++) {
        if (random.once(2)) frame[at] = 'hatek{["é'.charCodeAt(random.below(9));
      }
      frame[47] = random.pick([0x10, 0x18, 0x12]);
      const start = config[42] !== 0 ? 34 + 4 * (frame[46] >> 4) : frame[47] === 0x12 ? 62 : 54;
      const length = Math.max(0, frame.length - start);
      const values: Record<string, bigint> = {
        start: BigInt(start),
        length: BigInt(length),
        // No walk goes beyond either; what the law would say there, nothing else does.
        index: BigInt(random.below(Math.min(length, walked) + 1)),
        state: BigInt(random.pick([random.pick(states), random.below(65_536), random.below(20)])),
      };
      const given = {
        apply: functionsOf(frame, table, config, rows),
        variable: (name: string) => values[name],
      };
      const names = Object.entries(values).map(([name, value]) => `${name} ${value}`).join();
      holding(given).forEach((holds, law) =>
        assertEquals(holds, 1n, `${LAWS[law]}: ${text} ${names}`)
      );
      const [isRow, decided, stays] = facts(given);
      if (isRow === 1n) seen.rows++;
      else seen.others++;
      if (isRow === 1n && decided === 1n) seen.decided++;
      if (isRow === 1n && stays === 1n && decided === 0n) seen.stay++;
    }
  }
  console.log(`seed ${SEED}: ${JSON.stringify(seen)}`);
  for (const [what, count] of Object.entries(seen)) assert(count > 300, what);
});
