/**
 * The part of the eBPF instruction set that the diode program uses (RFC 9669), as data. Kept small
 * on purpose: whatever is here, a reader of the program, and a proof about it, must understand.
 */

/** r0 result · r1 to r5 arguments, lost in a call · r6 to r9 kept · r10 the stack's top. */
export type Register =
  | "r0"
  | "r1"
  | "r2"
  | "r3"
  | "r4"
  | "r5"
  | "r6"
  | "r7"
  | "r8"
  | "r9"
  | "r10";

/** Bytes of a memory access. */
export type Width = 1 | 2 | 4 | 8;

/** One instruction; `wide` ones take two slots of eight bytes. */
export interface Instruction {
  readonly opcode: number;
  readonly destination: number;
  readonly source: number;
  readonly offset: number;
  readonly immediate: number;
  /** The label that a jump goes to; the assembler fills `offset`. */
  readonly target?: string;
  /** The second slot's immediate. */
  readonly wide?: number;
}

/** Operation codes (RFC 9669, section 4 and 5), `K` with an immediate operand. */
export const Opcode = {
  addK: 0x07,
  addX: 0x0f,
  subX: 0x1f,
  orX: 0x4f,
  andK: 0x57,
  lshK: 0x67,
  rshK: 0x77,
  movK: 0xb7,
  movX: 0xbf,
  bigEndian: 0xdc,
  ja: 0x05,
  jeqK: 0x15,
  jeqX: 0x1d,
  jgtX: 0x2d,
  jneK: 0x55,
  jneX: 0x5d,
  jltK: 0xa5,
  jltX: 0xad,
  jsetX: 0x4d,
  call: 0x85,
  exit: 0x95,
  wideMov: 0x18,
  atomic8: 0xdb,
} as const;

/** Size bits of LDX (0x61 | …) and STX (0x63 | …). */
const SIZE: Record<Width, number> = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 };

/** Source-register values of a wide mov (bpf(2), `BPF_PSEUDO_MAP_FD` and `…_VALUE`). */
export const Pseudo = { mapFd: 1, mapValue: 2 } as const;

/** Kernel functions that the program calls (`enum bpf_func_id`). */
export const Helper = { ktimeGetNs: 5, ringbufOutput: 130 } as const;

const number = (register: Register): number => Number(register.slice(1));

function instruction(opcode: number, rest: Partial<Instruction> = {}): Instruction {
  return { opcode, destination: 0, source: 0, offset: 0, immediate: 0, ...rest };
}

/** Either form of an operation, by its second operand. */
function binary(k: number | null, x: number | null) {
  return (left: Register, right: Register | number, target?: string): Instruction => {
    const isRegister = typeof right !== "number";
    const opcode = isRegister ? x : k;
    if (opcode === null) throw new TypeError(`The operation has no form for ${right}`);
    return instruction(opcode, {
      destination: number(left),
      ...(isRegister ? { source: number(right) } : { immediate: right }),
      ...(target === undefined ? {} : { target }),
    });
  };
}

export const mov = binary(Opcode.movK, Opcode.movX);
export const add = binary(Opcode.addK, Opcode.addX);
export const sub = binary(null, Opcode.subX);
export const and = binary(Opcode.andK, null);
export const or = binary(null, Opcode.orX);
export const shiftLeft = binary(Opcode.lshK, null);
export const shiftRight = binary(Opcode.rshK, null);

/** Conditional jumps, unsigned: `jumpIfEqual("r1", 5, "label")`. */
export const jumpIfEqual = binary(Opcode.jeqK, Opcode.jeqX);
export const jumpIfNotEqual = binary(Opcode.jneK, Opcode.jneX);
export const jumpIfGreater = binary(null, Opcode.jgtX);
export const jumpIfLess = binary(Opcode.jltK, Opcode.jltX);
/** Jumps if the two have a bit in common. */
export const jumpIfCommonBit = binary(null, Opcode.jsetX);
export const jump = (target: string) => instruction(Opcode.ja, { target });

/** register = big-endian 16-bit value of its low two bytes. */
export const fromBigEndian16 = (register: Register) =>
  instruction(Opcode.bigEndian, { destination: number(register), immediate: 16 });

/** destination = *(address + offset), zero-extended. */
export const load = (width: Width, destination: Register, address: Register, offset: number) =>
  instruction(0x61 | SIZE[width], {
    destination: number(destination),
    source: number(address),
    offset,
  });

/** *(address + offset) = source. */
export const store = (width: Width, address: Register, offset: number, source: Register) =>
  instruction(0x63 | SIZE[width], {
    destination: number(address),
    source: number(source),
    offset,
  });

/** lock *(u64 *)(address + offset) += source. */
export const atomicAdd = (address: Register, offset: number, source: Register) =>
  instruction(Opcode.atomic8, { destination: number(address), source: number(source), offset });

/** register = the map itself, as helpers want it. */
export const mapReference = (register: Register, fd: number) =>
  instruction(Opcode.wideMov, {
    destination: number(register),
    source: Pseudo.mapFd,
    immediate: fd,
    wide: 0,
  });

/** register = address of byte `offset` of an array map's one value. */
export const mapValue = (register: Register, fd: number, offset = 0) =>
  instruction(Opcode.wideMov, {
    destination: number(register),
    source: Pseudo.mapValue,
    immediate: fd,
    wide: offset,
  });

export const call = (helper: number) => instruction(Opcode.call, { immediate: helper });
export const exit = () => instruction(Opcode.exit);
