/**
 * One frame's way through the parts of the proof, with numbers for the terms: where each part leads
 * it, the next begins, as the induction has it. Checked on the way: what a part supposes is so, what
 * it claims is so, and it leads the frame on in exactly one way.
 */
import { assertEquals } from "@std/assert";
import { diodeProgram } from "../../src/bpf/program.ts";
import { ENTRY, Part, partsOf } from "../../src/proof/checker/program/conditions.ts";
import { decode } from "../../src/proof/checker/program/decode.ts";
import { BEFORE_GROUP } from "../../src/bpf/program_walk.ts";
import { Specification } from "../../src/proof/checker/program/specification.ts";
import { type Term, Terms } from "../../src/proof/checker/program/term.ts";
import { STAND_INS } from "../../src/proof/program_certificate.ts";
import { programCuts } from "../../src/proof/program_places.ts";
import { evaluator, functionsOf, type Values } from "./evaluate.ts";

/** What the variables of a part stand for. */
interface Place {
  start: bigint;
  length: bigint;
  index: bigint;
  state: bigint;
}

/** A way out of a part, and the registers at its end. */
interface Way {
  /** `tail.end 3`: the fourth way from there to that cut. */
  readonly name: string;
  /** "pass", "drop", or a place of the program. */
  readonly to: string;
  readonly guard: Term;
  readonly r0: Term;
  readonly r2: Term;
  /** The state where a round began, doubled. */
  readonly before: Term;
}

interface Followed {
  readonly ways: readonly Way[];
  readonly claims: readonly string[];
  readonly valuesOf: (values: Values) => bigint[];
  readonly hypotheses: number;
}

const CUTS = programCuts();
export const PARTS: readonly string[] = partsOf(CUTS);

/** @returns the ways out of a part, with what is supposed there and what is claimed. */
export function waysOf(from: string, t: Terms) {
  const program = decode(diodeProgram(STAND_INS), STAND_INS);
  const part = new Part(program, CUTS, from, t);
  const { hypotheses, outcome } = part.ways();
  const none = t.constant(0, 64);
  const verdict = (to: "pass" | "drop"): Way => ({
    ...{ name: `${from}.${to}`, to, guard: outcome[to], r0: none, r2: none, before: none },
  });
  const ways: Way[] = [verdict("pass"), verdict("drop")];
  for (const [to, { slot }] of Object.entries(CUTS.places)) {
    (outcome.cuts.get(slot) ?? []).forEach(({ guard, registers, stack }, i) => {
      const bytes = [...Array(8).keys()].map((at) => stack.get(BEFORE_GROUP + at));
      const before = bytes.every((byte) => byte !== undefined)
        ? bytes.reduce((low, high) => t.concat(high, low))
        : none;
      const [r0, , r2] = registers.map((value) => value?.term ?? none);
      ways.push({ name: `${from}.${to} ${i}`, to, guard, r0, r2, before });
    });
  }
  return { hypotheses, ways, conditions: part.conditions() };
}

function followed(from: string): Followed {
  const { hypotheses, ways, conditions } = waysOf(from, new Terms());
  return {
    ways,
    claims: conditions.map(({ name }) => name),
    hypotheses: hypotheses.length,
    valuesOf: evaluator([
      ...hypotheses,
      ...conditions.map(({ claim }) => claim),
      ...ways.flatMap(({ guard, r0, r2, before }) => [guard, r0, r2, before]),
    ]),
  };
}

export class Follower {
  private readonly parts = new Map(PARTS.map((from) => [from, followed(from)]));
  private readonly verdict = verdictOf();

  /** @returns the names of the frame's ways in order; the last says whether it passes. */
  follow(frame: Uint8Array, table: Uint8Array, config: Uint8Array): string[] {
    const apply = functionsOf(frame, table, config);
    const length = BigInt(frame.length);
    const accepts = this.verdict({ apply, variable: () => length })[0];
    const names: string[] = [];
    let from = ENTRY;
    let at: Place = { start: 0n, length: 0n, index: 0n, state: 0n };
    while (names.length < 1000) {
      const { way, registers } = this.lead(from, { ...at, frame: length, accepts }, apply);
      names.push(way.name);
      if (way.to === "pass" || way.to === "drop") return names;
      at = placeAt(way.to, from, at, length, registers);
      from = way.to;
    }
    throw new Error("A way without an end");
  }

  private lead(from: string, known: Readonly<Record<string, bigint>>, apply: Values["apply"]) {
    const { ways, claims, valuesOf, hypotheses } = this.parts.get(from)!;
    // Of what else there are variables nothing is known: one value is as good as another.
    const found = valuesOf({ apply, variable: (name) => known[name] ?? 0n });
    const so = found.slice(0, hypotheses + claims.length);
    so.forEach((value, i) =>
      assertEquals(value, 1n, claims[i - hypotheses] ?? `hypothesis ${i} of ${from}`)
    );
    const rest = found.slice(so.length);
    const taken = ways.map((_, i) => i).filter((i) => rest[4 * i] === 1n);
    assertEquals(taken.length, 1, `${from} leads on in ${taken.length} ways`);
    const [i] = taken;
    const [r0, r2, before] = rest.slice(4 * i + 1, 4 * i + 4);
    return { way: ways[i], registers: { r0, r2, before } };
  }
}

/** @returns what gives the specification's verdict on a frame. */
function verdictOf() {
  const t = new Terms();
  const length = t.zext(t.variable("frame", 32), 64);
  return evaluator([new Specification(t).accepts(length)]);
}

function placeAt(
  to: string,
  from: string,
  at: Place,
  length: bigint,
  { r0, r2, before }: Record<"r0" | "r2" | "before", bigint>,
): Place {
  switch (to) {
    case "payload":
      return { ...at, start: r2, length: length - r2 };
    case "middle":
      return { ...at, index: r2 - at.start, state: before >> 1n };
    case "end": // behind a decided state r0 says that it is universal, and not which it is
      return from === "decided" ? at : { ...at, state: r0 };
    default:
      return { ...at, index: r2 - at.start, state: r0 };
  }
}
