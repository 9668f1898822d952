/**
 * The strict reader of the program's bytes (RFC 9669, section 3 to 5; only what the diode program
 * uses). Whatever is not exactly one of these instructions, each unused field zero, is refused.
 */
import { refuse } from "../refusal.ts";

export const MAPS = ["table", "config", "counters", "events"] as const;
export type MapName = typeof MAPS[number];

export type Operation =
  | "add"
  | "sub"
  | "or"
  | "and"
  | "shl"
  | "shr"
  | "mov"
  | "jeq"
  | "jne"
  | "jgt"
  | "jlt"
  | "jset";

/** Registers are 0 to 10, widths bytes; `to` is the slot that a jump goes to. */
export type Instruction =
  /** `operand`: a register, or a constant as the 64 bits that it is extended to. */
  | { kind: "alu"; operation: Operation; register: number; operand: number | bigint }
  | { kind: "jump"; operation: Operation; register: number; operand: number | bigint; to: number }
  | { kind: "goto"; to: number }
  /** The low 16 bits, read as big-endian. */
  | { kind: "swap16"; register: number }
  | { kind: "load" | "store"; width: number; register: number; address: number; offset: number }
  /** lock *(u64 *)(address + offset) += register. */
  | { kind: "count"; register: number; address: number; offset: number }
  /** `offset` null: the map itself; else the address of that byte of its one value. */
  | { kind: "map"; register: number; map: MapName; offset: number | null }
  | { kind: "call"; helper: number }
  | { kind: "exit" };

const ALU: Record<number, Operation> = {
  0x00: "add",
  0x10: "sub",
  0x40: "or",
  0x50: "and",
  0x60: "shl",
  0x70: "shr",
  0xb0: "mov",
};
const JUMP: Record<number, Operation> = {
  0x10: "jeq",
  0x20: "jgt",
  0x40: "jset",
  0x50: "jne",
  0xa0: "jlt",
};
const WIDTH: Record<number, number> = { 0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8 };
const SLOT = 8, MOST_SLOTS = 4096;

/**
 * @param fds the descriptors that stand for the maps in these bytes.
 * @returns for each slot of eight bytes its instruction; null for the second half of a wide one.
 * @throws VeiError `proof-program` where the bytes are anything else.
 */
export function decode(
  bytes: Uint8Array,
  fds: Readonly<Record<MapName, number>>,
): (Instruction | null)[] {
  const slots = bytes.length / SLOT;
  if (!Number.isInteger(slots) || slots === 0 || slots > MOST_SLOTS) {
    throw refuse("program", `a program of ${bytes.length} bytes`);
  }
  if (new Set(Object.values(fds)).size !== MAPS.length) {
    throw refuse("program", "two maps have one descriptor");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoded: (Instruction | null)[] = [];
  for (let slot = 0; slot < slots; slot++) {
    const at = slot * SLOT;
    const code = bytes[at], register = bytes[at + 1] & 15, source = bytes[at + 1] >> 4;
    const offset = view.getInt16(at + 2, true), immediate = view.getInt32(at + 4, true);
    const wrong = () => refuse("program", `slot ${slot} is no instruction that the diode uses`);
    const unused = (...fields: number[]) => {
      if (fields.some((field) => field !== 0)) throw wrong();
    };
    if (register > 10 || source > 10) throw wrong();
    /** The second operand of an ALU instruction or a jump. */
    const operand = () => {
      if ((code & 8) !== 0) {
        unused(immediate);
        return source;
      }
      unused(source);
      return BigInt.asUintN(64, BigInt(immediate));
    };
    const to = slot + 1 + offset;
    const writes = () => {
      if (register === 10) throw wrong(); // the stack's top stays
    };

    if (code === 0x18) {
      writes();
      const next = slot + 1;
      const map = MAPS.find((name) => fds[name] === immediate);
      if (next === slots || map === undefined) throw wrong();
      const wide = view.getUint32(at + SLOT + 4, true);
      unused(offset, view.getUint32(at + SLOT, true));
      if (source !== 1 && source !== 2) throw wrong();
      if (source === 1) unused(wide);
      decoded.push({ kind: "map", register, map, offset: source === 1 ? null : wide }, null);
      slot = next;
    } else if (code === 0x95) {
      unused(register, source, offset, immediate);
      decoded.push({ kind: "exit" });
    } else if (code === 0x85) {
      unused(register, source, offset);
      decoded.push({ kind: "call", helper: immediate });
    } else if (code === 0x05) {
      unused(register, source, immediate);
      decoded.push({ kind: "goto", to });
    } else if (code === 0xdc) {
      writes();
      unused(source, offset);
      if (immediate !== 16) throw wrong();
      decoded.push({ kind: "swap16", register });
    } else if (code === 0xdb) {
      unused(immediate); // BPF_ADD, without fetching
      decoded.push({ kind: "count", register: source, address: register, offset });
    } else if ((code & 0xe7) === 0x61 && WIDTH[code & 0x18] !== undefined) {
      writes();
      unused(immediate);
      decoded.push({ kind: "load", width: WIDTH[code & 0x18], register, address: source, offset });
    } else if ((code & 0xe7) === 0x63) {
      unused(immediate);
      const width = WIDTH[code & 0x18];
      decoded.push({ kind: "store", width, register: source, address: register, offset });
    } else if ((code & 7) === 7 && ALU[code & 0xf0] !== undefined) {
      writes();
      unused(offset);
      const operation = ALU[code & 0xf0];
      const value = operand();
      const shifts = operation === "shl" || operation === "shr";
      if (shifts && (typeof value === "number" || value > 63n)) throw wrong();
      decoded.push({ kind: "alu", operation, register, operand: value });
    } else if ((code & 7) === 5 && JUMP[code & 0xf0] !== undefined) {
      const operation = JUMP[code & 0xf0];
      decoded.push({ kind: "jump", operation, register, operand: operand(), to });
    } else throw wrong();
  }
  for (const instruction of decoded) {
    if (instruction === null || !("to" in instruction)) continue;
    const { to } = instruction;
    if (to < 0 || to >= slots || decoded[to] === null) {
      throw refuse("program", `a jump to slot ${to}, where no instruction is`);
    }
  }
  return decoded;
}
