/** Random programs over the instructions that our programs have, such as the verifier accepts. */
import { label, type Line } from "../../src/bpf/assembler.ts";
import {
  add,
  and,
  atomicAdd,
  call,
  exit,
  fromBigEndian16,
  Helper,
  jump,
  jumpIfCommonBit,
  jumpIfEqual,
  jumpIfGreater,
  jumpIfLess,
  jumpIfNotEqual,
  load,
  mapValue,
  mov,
  or,
  type Register,
  shiftLeft,
  shiftRight,
  store,
  sub,
  type Width,
} from "../../src/bpf/isa.ts";
import type { Random } from "../judge/random.ts";

/** Bytes of the frame and of the map's value that programs look at. */
export const FRAME_BYTES = 64;
export const VALUE_BYTES = 64;
const STACK_BYTES = 32;

const WIDTHS: readonly Width[] = [1, 2, 4, 8];
const LOST_IN_CALLS: readonly Register[] = ["r1", "r2", "r3", "r4", "r5"];
/** Registers with numbers; r6 the frame, r7 the map's value, r8 the frame's end, r10 the stack. */
const NUMBERS: readonly Register[] = ["r0", ...LOST_IN_CALLS, "r9"];

/** @returns a program of about `length` random instructions that ends with a number in r0. */
export function randomProgram(random: Random, length: number, map: number): Line[] {
  const number = () => random.pick(NUMBERS);
  const constant = () =>
    random.once(2) ? random.below(0x1_0000_0000) - 0x8000_0000 : random.below(70) - 2;
  const within = (bytes: number, width: Width) => width * random.below(bytes / width);
  let labels = 0;
  /** Places that jumps go to, and how many instructions are left until there. */
  const open: { name: string; left: number }[] = [];
  const target = () => {
    const name = `after ${labels++}`;
    open.push({ name, left: 1 + random.below(6) });
    return name;
  };

  const one = (): Line[] => {
    const width = random.pick(WIDTHS);
    switch (random.below(14)) {
      case 0:
        return [mov(number(), random.once(2) ? constant() : number())];
      case 1:
        return [add(number(), random.once(2) ? constant() : number())];
      case 2:
        return [sub(number(), number())];
      case 3:
        return [or(number(), number())];
      case 4:
        return [and(number(), constant())];
      case 5:
        return [(random.once(2) ? shiftLeft : shiftRight)(number(), random.below(64))];
      case 6:
        return [fromBigEndian16(number())];
      case 7:
        return [load(width, number(), "r6", random.below(FRAME_BYTES - width + 1))];
      case 8:
        return [load(width, number(), "r7", within(VALUE_BYTES, width))];
      case 9:
        return [store(width, "r7", within(VALUE_BYTES, width), number())];
      case 10:
        return random.once(2)
          ? [store(width, "r10", within(STACK_BYTES, width) - STACK_BYTES, number())]
          : [load(width, number(), "r10", within(STACK_BYTES, width) - STACK_BYTES)];
      case 11:
        return [atomicAdd("r7", within(VALUE_BYTES, 8), number())];
      case 12: {
        const either = random.once(2) ? constant() : number();
        return [
          random.pick([
            () => jumpIfEqual(number(), either, target()),
            () => jumpIfNotEqual(number(), either, target()),
            () => jumpIfLess(number(), either, target()),
            () => jumpIfGreater(number(), number(), target()),
            () => jumpIfCommonBit(number(), number(), target()),
          ])(),
        ];
      }
      default:
        // The time is the kernel's own; the other registers are lost.
        return random.once(4)
          ? [
            call(Helper.ktimeGetNs),
            ...(["r0", ...LOST_IN_CALLS] as const).map((register) => mov(register, constant())),
          ]
          // What a jump leaps over nothing else may reach, and the verifier refuses that.
          : [jump(`next ${labels}`), label(`next ${labels++}`)];
    }
  };

  const lines: Line[] = [
    load(4, "r6", "r1", 0),
    load(4, "r8", "r1", 4),
    mov("r2", "r6"),
    add("r2", FRAME_BYTES),
    mov("r0", 0),
    jumpIfGreater("r2", "r8", "end"),
    mapValue("r7", map),
    ...NUMBERS.map((register) => mov(register, constant())),
    ...[8, 16, 24, 32].map((at) => store(8, "r10", -at, number())),
  ];
  for (let i = 0; i < length; i++) {
    for (const ready of open.filter((place) => place.left-- === 0)) {
      lines.push(label(ready.name));
      open.splice(open.indexOf(ready), 1);
    }
    lines.push(...one());
  }
  return [...lines, ...open.map(({ name }) => label(name)), label("end"), exit()];
}
