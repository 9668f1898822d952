/** A program as text, one line an instruction, in the notation of the kernel's verifier. */
import { decode, type Placed } from "./decode.ts";
import { Helper, Opcode, Pseudo } from "./isa.ts";

const HELPERS: Record<number, string> = {
  [Helper.ktimeGetNs]: "ktime_get_ns",
  [Helper.ringbufOutput]: "ringbuf_output",
};

const ARITHMETIC: Record<number, string> = {
  [Opcode.addK & 0xf0]: "+=",
  [Opcode.subX & 0xf0]: "-=",
  [Opcode.orX & 0xf0]: "|=",
  [Opcode.andK & 0xf0]: "&=",
  [Opcode.lshK & 0xf0]: "<<=",
  [Opcode.rshK & 0xf0]: ">>=",
  [Opcode.movK & 0xf0]: "=",
};

const COMPARISONS: Record<number, string> = {
  [Opcode.jeqK & 0xf0]: "==",
  [Opcode.jneK & 0xf0]: "!=",
  [Opcode.jgtX & 0xf0]: ">",
  [Opcode.jltK & 0xf0]: "<",
  [Opcode.jsetX & 0xf0]: "&",
};

/** Classes: the low three bits of an opcode. */
const LDX = 1, STX = 3, JMP = 5, ALU64 = 7;
const SIZES: Record<number, string> = { 0x00: "u32", 0x08: "u16", 0x10: "u8", 0x18: "u64" };

export interface DisassembleOptions {
  /** Names of maps by their descriptor. */
  maps?: Record<number, string>;
}

/**
 * @returns a line for each instruction: its slot, what it does; targets of jumps are slots.
 * @throws RangeError for an instruction that our programs do not have.
 */
export function disassemble(program: Uint8Array, options: DisassembleOptions = {}): string[] {
  const instructions = decode(program);
  const width = String(instructions.at(-1)?.slot ?? 0).length;
  const targets = new Set(instructions.filter(isJump).map((one) => one.slot + 1 + one.offset));
  return instructions.map((one) => {
    const mark = targets.has(one.slot) ? ">" : " ";
    return `${mark}${String(one.slot).padStart(width)}: ${textOf(one, options.maps ?? {})}`;
  });
}

function isJump({ opcode }: Placed): boolean {
  return (opcode & 0x07) === JMP && opcode !== Opcode.call && opcode !== Opcode.exit;
}

function textOf(one: Placed, maps: Record<number, string>): string {
  const { opcode, immediate } = one;
  const [to, from] = [`r${one.destination}`, `r${one.source}`];
  const memory = (base: string) => {
    const sign = one.offset < 0 ? "-" : "+";
    return `*(${SIZES[opcode & 0x18]} *)(${base} ${sign}${Math.abs(one.offset)})`;
  };
  const isRegister = (opcode & 0x08) !== 0;
  const operand = isRegister ? from : String(immediate);
  switch (opcode) {
    case Opcode.exit:
      return "exit";
    case Opcode.call:
      return `call ${HELPERS[immediate] ?? `helper ${immediate}`}`;
    case Opcode.ja:
      return `goto ${one.slot + 1 + one.offset}`;
    case Opcode.bigEndian:
      return `${to} = be${immediate} ${to}`;
    case Opcode.wideMov:
      return `${to} = ${mapText(one, maps)}`;
    case Opcode.atomic8:
      return `lock ${memory(to)} += ${from}`;
  }
  const operation = opcode & 0xf0;
  switch (opcode & 0x07) {
    case LDX:
      if ((opcode & 0xe0) === 0x60) return `${to} = ${memory(from)}`;
      break;
    case STX:
      if ((opcode & 0xe0) === 0x60) return `${memory(to)} = ${from}`;
      break;
    case ALU64:
      if (ARITHMETIC[operation]) return `${to} ${ARITHMETIC[operation]} ${operand}`;
      break;
    case JMP:
      if (COMPARISONS[operation]) {
        return `if ${to} ${COMPARISONS[operation]} ${operand} goto ${one.slot + 1 + one.offset}`;
      }
  }
  throw new RangeError(`Slot ${one.slot}: no instruction of ours, opcode 0x${opcode.toString(16)}`);
}

function mapText({ source, immediate, wide }: Placed, maps: Record<number, string>): string {
  const name = maps[immediate] ?? `map ${immediate}`;
  if (source === Pseudo.mapFd) return name;
  if (source === Pseudo.mapValue) return `${name}.value + ${wide}`;
  return `${BigInt.asUintN(32, BigInt(immediate)) | BigInt(wide!) << 32n}`;
}
