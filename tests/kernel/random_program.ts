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
  jumpIfCommonBit,
  jumpIfEqual,
  jumpIfGreater,
  jumpIfLess,
  jumpIfNotEqual,
  load,
  mapValue,
  mov,
  or,
  shiftLeft,
  shiftRight,
  store,
  sub,
  type Width,
} from "../../src/bpf/isa.ts";
import type { Random } from "../judge/random.ts";
import { NUMBERS, RandomSteps, WIDTHS } from "./random_steps.ts";

/** Bytes of the frame and of the map's value that programs look at. */
export const FRAME_BYTES = 64;
export const VALUE_BYTES = 64;
const STACK_BYTES = 32;

/** @returns a program of about `length` random instructions that ends with a number in r0. */
export function randomProgram(random: Random, length: number, map: number): Line[] {
  const steps = new RandomSteps(random);
  const { number, constant, target } = steps;
  const within = (bytes: number, width: Width) => width * random.below(bytes / width);

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
        return random.once(4)
          ? [call(Helper.ktimeGetNs), ...steps.afterCall()]
          : steps.jumpToNext();
    }
  };

  return [
    load(4, "r6", "r1", 0),
    load(4, "r8", "r1", 4),
    mov("r2", "r6"),
    add("r2", FRAME_BYTES),
    mov("r0", 0),
    jumpIfGreater("r2", "r8", "end"),
    mapValue("r7", map),
    ...NUMBERS.map((register) => mov(register, constant())),
    ...[8, 16, 24, 32].map((at) => store(8, "r10", -at, number())),
    ...steps.list(length, one),
    label("end"),
    exit(),
  ];
}
