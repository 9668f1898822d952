/** The diode's program with one field of one instruction changed, and what the checker says of it. */
import { diodeProgram } from "../../src/bpf/program.ts";
import { type Condition, conditionsOf } from "../../src/proof/checker/program/conditions.ts";
import { decode } from "../../src/proof/checker/program/decode.ts";
import { STAND_INS } from "../../src/proof/program_certificate.ts";
import { programCuts } from "../../src/proof/program_places.ts";
import { type ConditionJudge, refusal } from "./condition_judge.ts";

const SLOT = 8;
const CUTS = programCuts();
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
  /** A shipped proof fails, and a solver names values for which this condition does not hold. */
  | { by: "solver"; why: string }
  /** Nobody: with the shipped proofs, or with others. */
  | { by: null; oldProofs: boolean };

/** @returns who refuses the program in these bytes, and why. */
export async function judgeProgram(judge: ConditionJudge, bytes: Uint8Array): Promise<Answer> {
  let program: ReturnType<typeof decode>;
  try {
    program = decode(bytes, STAND_INS);
  } catch (error) {
    return { by: "decoder", why: refusal(error) };
  }
  let conditions: Condition[];
  try {
    conditions = conditionsOf(program, CUTS);
  } catch (error) {
    return { by: "executor", why: refusal(error) };
  }
  const { fails, oldProofs } = await judge.judge(conditions);
  return fails === null ? { by: null, oldProofs } : { by: "solver", why: fails };
}
