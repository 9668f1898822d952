/** What a certificate says of the program's places may be anything: nothing wrong is proved by it. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { VeiError } from "../../src/base/errors.ts";
import { diodeProgram } from "../../src/bpf/program.ts";
import { blast } from "../../src/proof/checker/program/blast.ts";
import { conditionsOf } from "../../src/proof/checker/program/conditions.ts";
import { decode } from "../../src/proof/checker/program/decode.ts";
import type { Cuts, Hint } from "../../src/proof/checker/program/hints.ts";
import { STAND_INS } from "../../src/proof/program_certificate.ts";
import { programCuts } from "../../src/proof/program_places.ts";
import { type Random, seeded } from "../judge/random.ts";
import type { ProgramCertificate } from "../../src/proof/checker/program/verify.ts";
import { readCertificate } from "../../diodes/certificate_file.ts";
import { refusal } from "./condition_judge.ts";
import { CERTIFICATE } from "./shipped_program.ts";
import { cadical } from "./solvers.ts";

const ORIGINAL = diodeProgram(STAND_INS);
const CUTS = programCuts();
const SEED = 87;

type Program = ReturnType<typeof decode>;

/** @returns hints as they come: from a file. @throws VeiError. */
function cutsIn(cuts: unknown): Cuts {
  const file = JSON.stringify({ ...CERTIFICATE, cuts });
  return (readCertificate(file, "test") as ProgramCertificate).cuts;
}

/** @returns why this is not proved, whatever the proofs are; null where it is. */
async function refusedBy(program: Program, given: unknown): Promise<string | null> {
  try {
    for (const condition of conditionsOf(program, cutsIn(given))) {
      if ((await cadical(blast(condition))).answer === "sat") return condition.name;
    }
    return null;
  } catch (error) {
    return error instanceof VeiError && error.code === "certificate-invalid"
      ? error.code
      : refusal(error);
  }
}

/** A place's changes, and the others as they are. */
function withPlace(name: string, change: Partial<Cuts["places"][string]>): Cuts {
  return { ...CUTS, places: { ...CUTS.places, [name]: { ...CUTS.places[name], ...change } } };
}

Deno.test("what is never so cannot be supposed: nothing comes to such a place", async () => {
  const program = decode(ORIGINAL, STAND_INS);
  const never: Hint = ["not", ["eq", "index", "index"]];
  for (const [name, { facts }] of Object.entries(CUTS.places)) {
    const why = await refusedBy(program, withPlace(name, { facts: [...facts, never] }));
    assert(why?.endsWith(`.${name}`), `${name}: ${why}`);
  }
  // Nor of all places at once: then something comes to the first of them.
  const places = Object.entries(CUTS.places).map(([name, place]) =>
    [name, { ...place, facts: [never] }] as const
  );
  const all = { ...CUTS, places: Object.fromEntries(places) };
  assertEquals(await refusedBy(program, all), "entry.payload");
});

Deno.test("a place that is left out, or that no way is said to lead to, is missed", async () => {
  const program = decode(ORIGINAL, STAND_INS);
  for (const name of Object.keys(CUTS.places)) {
    const { [name]: _, ...places } = CUTS.places;
    const left = await refusedBy(program, { ...CUTS, places });
    // The others are there for shorter proofs only.
    if (["payload", "head", "middle", "tail"].includes(name)) assert(left !== null, name);
    const { [name]: __, ...ways } = CUTS.ways;
    const nowhere = Object.entries(CUTS.places).map(([from, place]) => {
      const { [name]: ___, ...rest } = place.ways;
      return [from, { ...place, ways: rest }] as const;
    });
    const why = await refusedBy(program, { ways, places: Object.fromEntries(nowhere) });
    assert(why?.endsWith(`.${name}`), `${name}: ${why}`);
  }
});

Deno.test("what is no term is refused, wherever it stands", () => {
  const program = decode(ORIGINAL, STAND_INS);
  const nonsense: Hint[] = [
    ["constructor", "toString", "__proto__", "hasOwnProperty", "", "r0", "r10", "accepts"],
    [["eq"], ["eq", 1], ["not"], ["ite", 1, 2, 3], ["after", 8], [], [[]], [[["eq"]]]],
    [["sign", "state"], ["narrow", "accepts"], ["add", 1, "state"], ["wide", ["wide"]]],
    [["restLaw", 0, 0], ["constructor", "constructor"], ["eq", "constructor", "constructor"]],
    [["narrow", 1.5], ["add", NaN, 1], Infinity],
  ].flat(1) as Hint[];
  let deep: Hint = "index";
  for (let i = 0; i < 100_000; i++) deep = ["not", deep];
  for (const hint of [...nonsense, deep]) {
    const changed: Cuts[] = [
      withPlace("head", { facts: [["eq", hint, 0]] }),
      withPlace("head", { laws: [["restLaw", "index", hint]] }),
      withPlace("head", { ways: { ...CUTS.places.head.ways, tail: { index: hint, state: 0 } } }),
      withPlace("head", { stack: [[-8, 8, ["wide", ["narrow", hint, 7], 0, 0]]] }),
    ];
    // Where something has come to, its registers have names.
    if (hint === "r0" || hint === "r10") changed.splice(2, 1);
    for (const [i, cuts] of changed.entries()) {
      const error = assertThrows(
        () => conditionsOf(program, cuts),
        VeiError,
        "Not proved",
        `${JSON.stringify(hint === deep ? "deep" : hint)} ${i}`,
      );
      assertEquals(error.code, "proof-certificate");
    }
  }
});

/** Every hint in what is said of a place, and with what it is changed for another. */
function changed(random: Random, cuts: unknown): unknown {
  const copy = structuredClone(cuts);
  const found: [holder: Record<string, unknown>, key: string][] = [];
  const visit = (holder: unknown): void => {
    if (typeof holder !== "object" || holder === null) return;
    for (const [key, value] of Object.entries(holder)) {
      found.push([holder as Record<string, unknown>, key]);
      visit(value);
    }
  };
  visit(copy);
  const [holder, key] = random.pick(found);
  const [from, other] = random.pick(found);
  const old = holder[key];
  if (typeof old === "number" && random.once(2)) holder[key] = old + random.pick([-8, -1, 1, 8]);
  else if (Array.isArray(holder) && random.once(3)) holder.splice(Number(key), 1);
  else if (!Array.isArray(holder) && random.once(3)) delete holder[key];
  else holder[key] = structuredClone(from[other]);
  return copy;
}

/** Programs that pass or drop what they should not, though they are safe: a slot's byte changed. */
const WRONG: [slot: number, byte: number, bits: number][] = [];
for (const [slot, instruction] of decode(ORIGINAL, STAND_INS).entries()) {
  const isCheck = instruction?.kind === "jump" && typeof instruction.operand === "bigint";
  if (isCheck) WRONG.push([slot, 4, 1]);
}

Deno.test("a wrong program is proved with no hints", async () => {
  const random = seeded(SEED);
  const right = decode(ORIGINAL, STAND_INS);
  /** @returns hints that can be read, and differ from ours. */
  const others = (): unknown => {
    for (;;) {
      const cuts = changed(random, random.once(2) ? CUTS : changed(random, CUTS));
      try {
        conditionsOf(right, cutsIn(cuts));
        return cuts;
      } catch {
        // another time
      }
    }
  };
  let tried = 0;
  for (const [slot, byte, bits] of WRONG) {
    const bytes = ORIGINAL.slice();
    bytes[8 * slot + byte] ^= bits;
    const program = decode(bytes, STAND_INS);
    if (await refusedBy(program, CUTS) === null) continue; // as good as the right one
    for (let i = 0; i < 4; i++) {
      const cuts = others();
      tried++;
      const why = await refusedBy(program, cuts);
      assert(why !== null, `slot ${slot}: proved with ${JSON.stringify(cuts)}`);
    }
  }
  console.log(`seed ${SEED}: ${tried} times`);
  assert(tried > 100, `${tried}`);
});
