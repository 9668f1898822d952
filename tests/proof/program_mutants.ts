/** The diode's program with one field of one instruction changed, and what the checker says of it. */
import { VeiError } from "../../src/base/errors.ts";
import { diodeProgram } from "../../src/bpf/program.ts";
import { clausesOf } from "../../src/proof/checker/program/blast.ts";
import { type Condition, Part, PARTS } from "../../src/proof/checker/program/conditions.ts";
import { decode } from "../../src/proof/checker/program/decode.ts";
import { checkLrat } from "../../src/proof/checker/program/lrat.ts";
import { programCuts, STAND_INS } from "../../src/proof/program_certificate.ts";
import { inOrder } from "../../src/proof/smtlib.ts";
import { shippedProofs } from "./shipped_program.ts";
import { cadical } from "./solvers.ts";

const SLOT = 8;
const ORIGINAL = diodeProgram(STAND_INS);
export const SLOTS = ORIGINAL.length / SLOT;

/** What one changes in a slot's eight bytes; each of it has another effect on every instruction. */
type Change = [name: string, change: (slot: DataView) => void];

const flip = (at: number, bits: number) => (slot: DataView) =>
  slot.setUint8(at, slot.getUint8(at) ^ bits);
const move = (at: number, by: number) => (slot: DataView) =>
  slot.setInt16(at, slot.getInt16(at, true) + by, true);
const count = (at: number, by: number) => (slot: DataView) =>
  slot.setInt32(at, slot.getInt32(at, true) + by, true);
const register = (shift: number, by: number) => (slot: DataView) => {
  const byte = slot.getUint8(1);
  const changed = ((byte >> shift & 15) + by) % 11;
  slot.setUint8(1, byte & ~(15 << shift) | changed << shift);
};

export const CHANGES: Change[] = [
  ...[...Array(8).keys()].map((bit): Change => [`opcode ^ ${1 << bit}`, flip(0, 1 << bit)]),
  // To the neighbours among operations, and between two that differ in more than a bit.
  ["opcode ^ 3", flip(0, 3)],
  ["opcode ^ 0x30", flip(0, 0x30)],
  ["opcode ^ 0x50", flip(0, 0x50)],
  ["opcode ^ 0xf0", flip(0, 0xf0)],
  ...[1, 2, 5, 10].map((by): Change => [`register + ${by}`, register(0, by)]),
  ...[1, 2, 5, 10].map((by): Change => [`source + ${by}`, register(4, by)]),
  ["register's top bit", flip(1, 0x08)],
  ["source's top bit", flip(1, 0x80)],
  ...[1, -1, 2, -2, 8, -8].map((by): Change => [`offset + ${by}`, move(2, by)]),
  ["offset ^ 0x8000", flip(3, 0x80)],
  ...[1, -1, 8, -8, 256].map((by): Change => [`immediate + ${by}`, count(4, by)]),
  ["immediate ^ 0x80000000", flip(7, 0x80)],
];

/** @returns the program's bytes, changed at a slot; null where the change changes nothing. */
export function mutant(slot: number, change: number): Uint8Array<ArrayBuffer> | null {
  const bytes = ORIGINAL.slice();
  CHANGES[change][1](new DataView(bytes.buffer, slot * SLOT, SLOT));
  return bytes.every((byte, i) => byte === ORIGINAL[i]) ? null : bytes;
}

export type Answer =
  | { by: "decoder" | "executor"; why: string }
  /** The old proof fails, and a solver names values for which this condition does not hold. */
  | { by: "solver"; why: string }
  /** Whether the old proofs do, or others are needed. */
  | { by: null; oldProofs: boolean };

/** Asks the checker, and for a condition whose old proof fails, a solver. */
export class MutantJudge {
  private constructor(
    private readonly proofs: ReadonlyMap<string, string>,
    private readonly unchanged: ReadonlyMap<string, string>,
  ) {}

  static async make(): Promise<MutantJudge> {
    const program = decode(ORIGINAL, STAND_INS);
    const conditions = PARTS.flatMap((from) => new Part(program, programCuts(), from).conditions());
    return new MutantJudge(
      await shippedProofs(),
      new Map(conditions.map((condition) => [condition.name, textOf(condition)])),
    );
  }

  async judge(bytes: Uint8Array): Promise<Answer> {
    let program: ReturnType<typeof decode>;
    try {
      program = decode(bytes, STAND_INS);
    } catch (error) {
      return { by: "decoder", why: refusal(error) };
    }
    const changed: Condition[] = [];
    try {
      for (const from of PARTS) {
        const conditions = new Part(program, programCuts(), from).conditions();
        changed.push(
          ...conditions.filter((condition) =>
            this.unchanged.get(condition.name) !== textOf(condition)
          ),
        );
      }
    } catch (error) {
      return { by: "executor", why: refusal(error) };
    }
    let oldProofs = true;
    for (const condition of changed) {
      const clauses = clausesOf(condition);
      const old = this.proofs.get(condition.name);
      if (old !== undefined && follows(clauses, old)) continue;
      oldProofs = false;
      if ((await cadical(clauses)).answer === "sat") return { by: "solver", why: condition.name };
    }
    return { by: null, oldProofs };
  }
}

function follows(clauses: number[][], proof: string): boolean {
  try {
    checkLrat(clauses, proof);
    return true;
  } catch (error) {
    refusal(error);
    return false;
  }
}

/** @returns what the checker refuses it for. @throws what is no refusal. */
function refusal(error: unknown): string {
  if (error instanceof VeiError && error.code.startsWith("proof-")) return error.message;
  throw error;
}

/** The condition with its terms numbered: equal for conditions that are the same. */
function textOf({ hypotheses, claim }: Condition): string {
  const roots = [...hypotheses, claim];
  const number = new Map([...inOrder(roots)].map((term, i) => [term, i]));
  const lines = [...number.keys()].map(({ op, width, args, value, name, factors }) =>
    `${op} ${width} ${value} ${name} ${factors} ${args.map((argument) => number.get(argument))}`
  );
  return [...lines, ...roots.map((term) => number.get(term))].join("\n");
}
