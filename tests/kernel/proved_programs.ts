/**
 * Random programs of what the checker's executor knows: every instruction that its decoder takes,
 * every region of memory, at constant and at computed offsets, in forms that the verifier accepts.
 */
import { label, type Line } from "../../src/bpf/assembler.ts";
import {
  add,
  and,
  atomicAdd,
  call,
  exit,
  fromBigEndian16,
  Helper,
  type Instruction,
  jumpIfGreater,
  jumpIfLess,
  load,
  mapReference,
  mapValue,
  mov,
  Opcode,
  type Register,
  shiftLeft,
  shiftRight,
  store,
  sub,
  type Width,
} from "../../src/bpf/isa.ts";
import { EVENT_BYTES } from "../../src/bpf/layout.ts";
import type { DiodeMaps } from "../../src/bpf/program.ts";
import type { Random } from "../judge/random.ts";
import { NUMBERS, RandomSteps, WIDTHS } from "./random_steps.ts";

/** A frame that is shorter goes straight to the end. */
export const LEAST_FRAME = 64;
/** Where r7 points to in the configuration, so that offsets from it may be negative. */
const CONFIG_BASE = 16, CONFIG_BYTES = 64;
const COUNTERS = 32;

/** r3 and r4 hold addresses for a few instructions. */
const NEVER_ADDRESSES: readonly Register[] = ["r0", "r1", "r2", "r5", "r9"];

/** ALU and jump operations with a second operand in a register or in the instruction. */
const ALU = [0x07, 0x17, 0x47, 0x57, 0xb7], JUMPS = [0x15, 0x25, 0x45, 0x55, 0xa5];
const FROM_REGISTER = 8;

const number = (register: Register) => Number(register.slice(1));

/**
 * @param masked whether r0 is one of 0 to 3 at the end, or all that was computed, folded together.
 * @returns about `length` random steps; the label `end` stands before the exit.
 */
export function provedProgram(
  random: Random,
  length: number,
  maps: DiodeMaps<number>,
  masked: boolean,
): Line[] {
  const steps = new RandomSteps(random);
  const { number: any, constant, target } = steps;
  const safe = () => random.pick(NEVER_ADDRESSES);
  const stack = (width: Width) => width * random.below(EVENT_BYTES / width) - EVENT_BYTES;
  const either = (opcode: number, target?: string): Instruction => {
    const fields = { destination: number(any()), source: 0, offset: 0, immediate: 0, target };
    return random.once(2)
      ? { ...fields, opcode, immediate: constant() }
      : { ...fields, opcode: opcode | FROM_REGISTER, source: number(any()) };
  };
  /** r3 = a number from 0 to `most`, of which all bits are ones. */
  const index = (most: number) => [mov("r3", any()), and("r3", most)];
  const forget = () => [mov("r3", constant()), mov("r4", safe())];

  const computedFrame = (width: Width): Line[] => {
    const after = steps.place();
    return [
      ...index(31),
      ...random.once(2) ? [add("r3", "r6")] : [mov("r4", "r6"), add("r4", "r3"), mov("r3", "r4")],
      mov("r4", "r3"),
      add("r4", 8 + random.below(40)),
      random.once(2) ? jumpIfGreater("r4", "r8", after) : jumpIfLess("r8", "r4", after),
      load(width, safe(), "r3", random.below(9 - width)),
      label(after),
      ...forget(),
    ];
  };
  const computedConfig = (width: Width): Line[] => {
    const furthest = CONFIG_BYTES - 31 - width;
    return [
      ...index(31),
      add("r3", "r7"),
      load(width, safe(), "r3", random.pick([0, furthest, random.below(furthest)]) - CONFIG_BASE),
      ...forget(),
    ];
  };
  const table = (): Line[] => {
    const width = random.pick([1, 2] as const);
    const base = random.below(300);
    return [
      ...index(0xffff),
      ...width === 2 ? [shiftLeft("r3", 1)] : [],
      mapValue("r4", maps.table, base),
      add("r4", "r3"),
      load(width, safe(), "r4", random.below(300) - base),
      ...forget(),
    ];
  };
  const one = (): Line[] => {
    const width = random.pick(WIDTHS);
    switch (random.below(15)) {
      case 0:
      case 1:
      case 2:
        return [either(random.pick(ALU))];
      case 3:
        return [(random.once(2) ? shiftLeft : shiftRight)(any(), random.below(64))];
      case 4:
        return [fromBigEndian16(any())];
      case 5:
        return [load(width, any(), "r6", random.below(LEAST_FRAME - width + 1))];
      case 6:
        return [load(width, any(), "r7", random.below(CONFIG_BYTES - width + 1) - CONFIG_BASE)];
      case 7:
        return [
          random.once(2)
            ? store(width, "r10", stack(width), any())
            : load(width, any(), "r10", stack(width)),
        ];
      case 8:
        return [either(random.pick(JUMPS), target())];
      case 9:
        return computedFrame(width);
      case 10:
        return random.once(4) ? computedConfig(width) : [];
      case 11:
        return table();
      case 12:
        return [mov("r3", "r8"), sub("r3", "r6"), mov(safe(), "r3")];
      case 13:
        return [
          ...index(7),
          shiftLeft("r3", 3),
          mapValue("r4", maps.counters, 8 * random.below(COUNTERS / 2)),
          add("r4", "r3"),
          atomicAdd("r4", 8 * random.below(8), safe()),
          ...forget(),
        ];
      default:
        return random.once(4)
          ? [
            ...random.once(2) ? [call(Helper.ktimeGetNs)] : [
              mapReference("r1", maps.events),
              mov("r2", "r10"),
              add("r2", -EVENT_BYTES),
              mov("r3", EVENT_BYTES),
              mov("r4", 0),
              call(Helper.ringbufOutput),
            ],
            ...steps.afterCall(),
          ]
          : steps.jumpToNext();
    }
  };

  const fold = (register: Register) => [shiftLeft("r0", 3), add("r0", register)];
  return [
    load(4, "r6", "r1", 0),
    load(4, "r8", "r1", 4),
    mov("r0", random.pick([1, 2])),
    mov("r2", "r6"),
    add("r2", LEAST_FRAME),
    jumpIfGreater("r2", "r8", "end"),
    mapValue("r7", maps.config, CONFIG_BASE),
    ...NUMBERS.map((register) => mov(register, constant())),
    ...[8, 16, 24, 32, 40].map((at) => store(8, "r10", -at, any())),
    ...steps.list(length, one),
    ...NUMBERS.slice(1).flatMap(fold),
    ...[8, 16, 24, 32, 40].flatMap((at) => [load(8, "r1", "r10", -at), ...fold("r1")]),
    mov("r1", "r0"),
    shiftRight("r1", 32),
    add("r0", "r1"),
    ...masked ? [and("r0", 3)] : [],
    label("end"),
    exit(),
  ];
}

/** Every opcode that there is in `isa.ts`. */
export const OPCODES: ReadonlySet<number> = new Set(Object.values(Opcode));
