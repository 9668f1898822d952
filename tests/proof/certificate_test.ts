/** The shipped certificate of the program: made anew, and damaged in every way. */
import { assert, assertEquals } from "@std/assert";
import { diodeProgram } from "../../src/bpf/program.ts";
import { solve, solverName } from "../../src/cli/proof_tools.ts";
import { blast } from "../../src/proof/checker/program/blast.ts";
import { checkLrat } from "../../src/proof/checker/program/lrat.ts";
import { type ProgramCertificate, verifyProgram } from "../../src/proof/checker/program/verify.ts";
import { dimacsOf } from "../../src/proof/dimacs.ts";
import { lratOf } from "../../src/proof/lrat.ts";
import { programConditions, proveProgram, STAND_INS } from "../../src/proof/program_certificate.ts";
import { certificateText, readCertificate } from "../../diodes/certificate_file.ts";
import { VeiError } from "../../src/base/errors.ts";
import { damage } from "../fuzz/damage.ts";
import { type Random, seeded } from "../judge/random.ts";
import { CERTIFICATE, shippedProofs } from "./shipped_program.ts";
import { cadical, type Clauses } from "./solvers.ts";

const MOST_BYTES = 1_000_000;
const SEED = 86;

const verify = (certificate: ProgramCertificate) =>
  verifyProgram(diodeProgram(STAND_INS), STAND_INS, certificate);

Deno.test("the solver that it names makes it again, byte for byte; another, one as good", async () => {
  const solver = await solverName();
  const made = await proveProgram(solver, solve);
  const shipped = await Deno.readTextFile(
    new URL("../../diodes/certificates/program.json", import.meta.url),
  );
  console.log(`made by ${solver}, shipped by ${CERTIFICATE.solver}`);
  if (solver === CERTIFICATE.solver) assert(certificateText(made) === shipped);
  assert(certificateText(made).length < MOST_BYTES);
  assertEquals((await verify(made)).conditions, Object.keys(CERTIFICATE.proofs).length);
});

/** @returns the steps of an accepted proof, or null. @throws what is no refusal of a proof. */
function stepsOf(clauses: Clauses, proof: string): number | null {
  try {
    return checkLrat(clauses, proof);
  } catch (error) {
    if (error instanceof VeiError && error.code === "proof-certificate") return null;
    throw error;
  }
}

/** Words of proofs that do not belong where they turn up. */
const SCRAPS = [
  ...["0", "-0", " 0 ", "1", "-1", "2", "99", "-99", "999999999", "2147483648", "1e9", "0x1"],
  ...["\n", "\r\n", " ", "  ", "\0", "d", " d ", "NaN", "Infinity", "-", "+1", "1.5", "0 0", "ÿ"],
];

/** @returns the proof with one thing wrong in it: in its text, or a number for another. */
function damagedProof(random: Random, proof: string): string {
  const numbers = [...proof.matchAll(/-?\d+/g)];
  if (numbers.length === 0 || random.once(2)) return damage(random, proof, SCRAPS, () => proof);
  const { index, 0: old } = random.pick(numbers);
  const other = random.pick([
    random.pick(numbers)[0],
    `${-Number(old)}`,
    `${Number(old) + random.pick([-1, 1, 2])}`,
  ]);
  return proof.slice(0, index) + other + proof.slice(index + old.length);
}

/** Four pigeons in three holes, each hole for one: it cannot be, and takes a search to see. */
function pigeons(): number[][] {
  const at = (pigeon: number, hole: number) => 3 * pigeon + hole + 1;
  const clauses = [0, 1, 2, 3].map((pigeon) => [0, 1, 2].map((hole) => at(pigeon, hole)));
  for (const hole of [0, 1, 2]) {
    for (let one = 0; one < 4; one++) {
      for (let other = 0; other < one; other++) clauses.push([-at(one, hole), -at(other, hole)]);
    }
  }
  return clauses;
}

Deno.test("100,000 damaged proofs: each has an answer, and none proves what is not so", async () => {
  const random = seeded(SEED);
  const clauses = pigeons();
  const proof = lratOf(clauses, await solve(dimacsOf(clauses)));
  assert(stepsOf(clauses, proof)! > 3);
  // Without any one of its clauses there is room for all; the others keep their numbers.
  const possible = clauses.map((_, i) => clauses.with(i, clauses[(i + 1) % clauses.length]));
  for (const some of possible) assertEquals((await cadical(some)).answer, "sat");
  let accepted = 0;
  for (let i = 0; i < 50_000; i++) {
    let damaged = damagedProof(random, proof);
    if (random.once(3)) damaged = damagedProof(random, damaged);
    if (stepsOf(clauses, damaged) !== null) accepted++;
    assertEquals(stepsOf(random.pick(possible), damaged), null, damaged);
  }
  // The same clauses in another order, a literal more, a hint that is not needed: as good.
  console.log(`seed ${SEED}: ${accepted} of 50,000 damaged proofs prove it still`);
  assert(accepted > 100 && accepted < 25_000);
});

Deno.test("200,000 random steps: what is accepted follows, by all assignments there are", () => {
  const random = seeded(SEED + 3);
  const VARIABLES = 5;
  const literals = (most: number) =>
    Array.from(
      { length: random.below(most + 1) },
      () => (1 + random.below(VARIABLES)) * random.pick([1, -1]),
    );
  let accepted = 0, refused = 0;
  for (let round = 0; round < 2000; round++) {
    const clauses = Array.from({ length: 6 }, () => literals(3)).filter(({ length }) => length > 0);
    const known = clauses.slice();
    let proof = "";
    for (let i = 0; i < 100; i++) {
      const step = literals(3);
      const hints = Array.from(
        { length: 1 + random.below(3) },
        () => 1 + random.below(known.length + 1),
      );
      const next = `${known.length + 1} ${[...step, 0, ...hints, 0].join(" ")}\n`;
      if (!isAccepted(clauses, proof + next)) {
        refused++;
        continue;
      }
      accepted++;
      assert(followsFrom(step, known, VARIABLES), `${JSON.stringify(known)}: ${next}`);
      if (step.length === 0) break;
      known.push(step);
      proof += next;
    }
  }
  console.log(`seed ${SEED + 3}: ${accepted} accepted, ${refused} refused`);
  assert(accepted > 5000);
});

/** Whether all of a proof's steps are accepted, be there an end or not. */
function isAccepted(clauses: Clauses, proof: string): boolean {
  try {
    return checkLrat(clauses, proof) > 0;
  } catch (error) {
    return (error as Error).message.endsWith("a proof without an end");
  }
}

function followsFrom(clause: readonly number[], known: Clauses, variables: number): boolean {
  for (let values = 0; values < 1 << variables; values++) {
    const isTrue = (literal: number) =>
      (values >> (Math.abs(literal) - 1) & 1) === (literal > 0 ? 1 : 0);
    if (known.every((one) => one.some(isTrue)) && !clause.some(isTrue)) return false;
  }
  return true;
}

Deno.test("a proof that is cut off proves nothing", async () => {
  const clauses = pigeons();
  const proof = lratOf(clauses, await solve(dimacsOf(clauses)));
  assert(stepsOf(clauses, proof.slice(0, -1)) !== null); // but for its last line feed
  for (let length = 0; length < proof.length - 1; length++) {
    assertEquals(stepsOf(clauses, proof.slice(0, length)), null, `${length} characters`);
  }
});

Deno.test("without its claim no condition is contradicted, whatever the proof says", async () => {
  const random = seeded(SEED + 1);
  const proofs = await shippedProofs();
  for (const condition of programConditions()) {
    const proof = proofs.get(condition.name)!;
    // In its place, what is true: the others keep their numbers.
    const clauses = blast(condition).with(-1, [1]);
    assertEquals((await cadical(clauses)).answer, "sat", condition.name);
    for (let i = 0; i < 20; i++) {
      assertEquals(stepsOf(clauses, i === 0 ? proof : damagedProof(random, proof)), null);
    }
  }
});

Deno.test("60 damaged certificates: each is refused for a reason, or proves the program", async () => {
  const random = seeded(SEED + 2);
  const shipped = certificateText(CERTIFICATE);
  const scraps = ['"', "{", "}", ",", "null", "[]", "-1", "1e400", "AAAA", '"__proto__": 1,'];
  const head = shipped.indexOf('"proofs"');
  const answers = new Map<string, number>();
  for (let i = 0; i < 60; i++) {
    // Half of it in the few lines before the proofs.
    const damaged = random.once(2)
      ? damage(random, shipped.slice(0, head), scraps, () => shipped) + shipped.slice(head)
      : damage(random, shipped, scraps, () => shipped);
    let answer: string;
    try {
      const read = readCertificate(damaged, "damaged.json");
      answer = "proofs" in read ? `proved by ${(await verify(read)).steps} steps` : "of a table";
    } catch (error) {
      if (!(error instanceof VeiError)) throw error;
      answer = error.code;
    }
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  }
  console.log(`seed ${SEED + 2}: ${JSON.stringify(Object.fromEntries(answers))}`);
  assert(answers.get("certificate-invalid")! > 10);
  assert(answers.get("proof-certificate")! > 5);
});
