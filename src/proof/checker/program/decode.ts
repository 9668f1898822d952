/**
 * The strict reader of the program's bytes (RFC 9669, section 3 to 5; only what the diode program
 * uses). Whatever is not exactly one of these instructions, each unused field zero, is refused.
 */
import { refuse } from "../refusal.ts";

export const MAPS = ["table", "config", "counters", "events"] as const;
export type MapName = typeof MAPS[number];
/** The descriptors that stand for the maps in a program's bytes. */
export type Descriptors = Readonly<Record<MapName, number>>;

export type AluOperation = "add" | "sub" | "or" | "and" | "shl" | "shr" | "mov";
export type JumpOperation = "jeq" | "jne" | "jgt" | "jlt" | "jset";

/** Registers are 0 to 10, widths bytes; `to` is the slot that a jump goes to. */
export type Instruction =
  /** `operand`: a register, or a constant as the 64 bits that it is extended to. */
  | { kind: "alu"; operation: AluOperation; register: number; operand: number | bigint }
  | {
    kind: "jump";
    operation: JumpOperation;
    register: number;
    operand: number | bigint;
    to: number;
  }
  | { kind: "goto"; to: number }
  /** The low 16 bits, read as big-endian. */
  | { kind: "swap16"; register: number }
  | { kind: "load" | "store"; width: number; register: number; address: number; offset: number }
  /** lock *(u64 *)(address + offset) += register. */
  | { kind: "count"; register: number; address: number; offset: number }
  /** The address of that byte of the map's one value; of the events, the map itself. */
  | { kind: "map"; register: number; map: MapName; offset: number }
  | { kind: "call"; helper: number }
  | { kind: "exit" };

/** By the opcode without the bit that says whether the operand is a register. */
const ALU: Readonly<Record<number, AluOperation>> = {
  0x07: "add",
  0x17: "sub",
  0x47: "or",
  0x57: "and",
  0x67: "shl",
  0x77: "shr",
  0xb7: "mov",
};
const JUMP: Readonly<Record<number, JumpOperation>> = {
  0x15: "jeq",
  0x25: "jgt",
  0x45: "jset",
  0x55: "jne",
  0xa5: "jlt",
};
const BY_REGISTER = 8;
const LOAD: Readonly<Record<number, number>> = { 0x71: 1, 0x69: 2, 0x61: 4, 0x79: 8 };
const STORE: Readonly<Record<number, number>> = { 0x73: 1, 0x6b: 2, 0x63: 4, 0x7b: 8 };
const SLOT = 8, MOST_SLOTS = 4096, STACK_TOP = 10;

/**
 * @returns for each slot of eight bytes its instruction; null for the second half of a wide one.
 * @throws VeiError `proof-program` where the bytes are anything else.
 */
export function decode(bytes: Uint8Array, fds: Descriptors): (Instruction | null)[] {
  const slots = bytes.length / SLOT;
  if (!Number.isInteger(slots) || slots === 0 || slots > MOST_SLOTS) {
    throw refuse("program", `a program of ${bytes.length} bytes`);
  }
  if (new Set(Object.values(fds)).size !== MAPS.length) {
    throw refuse("program", "two maps have one descriptor");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoded: (Instruction | null)[] = [];
  while (decoded.length < slots) {
    const instruction = instructionAt(view, decoded.length, fds);
    decoded.push(instruction);
    if (instruction.kind === "map") decoded.push(null);
  }
  for (const instruction of decoded) {
    if (instruction === null || !("to" in instruction)) continue;
    const { to } = instruction;
    if (!decoded[to]) throw refuse("program", `a jump to slot ${to}, where no instruction is`);
  }
  return decoded;
}

function instructionAt(view: DataView, slot: number, fds: Descriptors): Instruction {
  const wrong = () => refuse("program", `slot ${slot} is no instruction that the diode uses`);
  const at = slot * SLOT;
  const code = view.getUint8(at), registers = view.getUint8(at + 1);
  const register = registers & 15, source = registers >> 4;
  const offset = view.getInt16(at + 2, true), immediate = view.getInt32(at + 4, true);
  if (register > STACK_TOP || source > STACK_TOP) throw wrong();
  /** @returns the instruction, if these are zero: the fields that it does not use. */
  const only = (instruction: Instruction, ...zeros: number[]): Instruction => {
    if (zeros.some((field) => field !== 0)) throw wrong();
    return instruction;
  };
  /** Not zero where an instruction that sets its register would move the stack. */
  const setsTop = Number(register === STACK_TOP);
  const to = slot + 1 + offset;
  const byRegister = (code & BY_REGISTER) !== 0;
  const operand = byRegister ? source : BigInt.asUintN(64, BigInt(immediate));
  const notOperand = byRegister ? immediate : source;
  const plain = code & ~BY_REGISTER;

  switch (code) {
    case 0x05:
      return only({ kind: "goto", to }, register, source, immediate);
    case 0x18: {
      const map = MAPS.find((name) => fds[name] === immediate);
      if (map === undefined || at + SLOT === view.byteLength) throw wrong();
      const upper = view.getUint32(at + SLOT, true), value = view.getUint32(at + SLOT + 4, true);
      // The events' map itself (1); of the others, the address of a byte of their value (2).
      const [form, rest] = map === "events" ? [1, value] : [2, 0];
      const instruction: Instruction = { kind: "map", register, map, offset: value };
      return only(instruction, setsTop, source ^ form, offset, upper, rest);
    }
    case 0x85:
      return only({ kind: "call", helper: immediate }, register, source, offset);
    case 0x95:
      return only({ kind: "exit" }, register, source, offset, immediate);
    case 0xdb: // BPF_ADD, without fetching
      return only({ kind: "count", register: source, address: register, offset }, immediate);
    case 0xdc:
      return only({ kind: "swap16", register }, setsTop, source, offset, immediate ^ 16);
  }
  if (code in LOAD) {
    const width = LOAD[code];
    return only({ kind: "load", width, register, address: source, offset }, setsTop, immediate);
  }
  if (code in STORE) {
    const width = STORE[code];
    return only({ kind: "store", width, register: source, address: register, offset }, immediate);
  }
  if (plain in JUMP) {
    return only({ kind: "jump", operation: JUMP[plain], register, operand, to }, notOperand);
  }
  if (plain in ALU) {
    const operation = ALU[plain];
    const shifts = operation === "shl" || operation === "shr";
    if (shifts && (typeof operand === "number" || operand > 63n)) throw wrong();
    return only({ kind: "alu", operation, register, operand }, setsTop, offset, notOperand);
  }
  throw wrong();
}
