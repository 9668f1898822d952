/** The diode program's second part: the payload's walk over the table. Registers: see `program.ts`. */
import { label, type Line } from "./assembler.ts";
import {
  add,
  jump,
  jumpIfGreater,
  jumpIfLess,
  jumpIfNotEqual,
  load,
  mapValue,
  mov,
  shiftLeft,
  sub,
} from "./isa.ts";
import { CONFIG, TABLE, WALK_LIMIT } from "./layout.ts";
import { because, type DiodeMaps } from "./program_parts.ts";
import { slotOf } from "./reasons.ts";

/** Bytes that the loop takes at once; WALK_LIMIT is a multiple. */
const GROUP = 4;

/** No byte that the loop reaches is as far into the frame: headers, options and WALK_LIMIT. */
const FURTHEST = 2048;

/** r0 = next state of r0 on the payload byte at r2 + `at`. */
function step(at: number): Line[] {
  // What does not need the state comes first: the chain from state to state is two adds and a load.
  return [
    load(1, "r3", "r2", at),
    add("r3", "r9"),
    load(1, "r3", "r3", 0),
    shiftLeft("r3", 1),
    add("r3", "r1"),
    add("r3", "r0"),
    add("r3", "r0"),
    load(2, "r0", "r3", 0),
  ];
}

/**
 * r2 = r2, computed anew, so that the verifier forgets how far into the frame it is: in the loop,
 * what it learns of the frame's length stays with r2 and does not make r6 differ from round to
 * round; after the loop, it checks what follows once and not once for each round (a quarter of the
 * time to load).
 */
function sameAddress(near: string): Line[] {
  return [
    mov("r3", "r2"),
    sub("r3", "r6"),
    jumpIfLess("r3", FURTHEST, near),
    jump("beyond the limit"), // cannot be reached
    label(near),
    mov("r2", "r6"),
    add("r2", "r3"),
  ];
}

/**
 * The walk. The loop takes GROUP bytes at once and looks only then whether the state is decided;
 * if so, that group is walked again byte by byte, which finds the byte that decided. The same
 * lines walk the last bytes of a payload.
 */
export function walk(fds: DiodeMaps<number>): Line[] {
  const bytes = [...Array(GROUP).keys()];
  return [
    label("walk"),
    load(2, "r0", "r7", CONFIG.start),
    load(4, "r5", "r7", CONFIG.decidedBelow),
    mapValue("r1", fds.table, TABLE.next),
    mapValue("r9", fds.table, TABLE.classes),

    ...sameAddress("groups are near"),

    label("group"),
    mov("r3", "r2"),
    add("r3", GROUP),
    jumpIfGreater("r3", "r8", "bytes"),
    mov("r7", "r0"),
    ...bytes.flatMap(step),
    jumpIfLess("r0", "r5", "again"),
    add("r2", GROUP),
    add("r4", GROUP),
    jumpIfLess("r4", WALK_LIMIT, "group"),
    label("beyond the limit"),
    because("walk_limit"),
    jump("drop"),

    label("again"),
    mov("r0", "r7"),
    label("bytes"),
    ...sameAddress("bytes are near"),
    ...bytes.flatMap((at) => [
      mov("r3", "r2"),
      add("r3", at + 1),
      jumpIfGreater("r3", "r8", "end"),
      ...step(at),
      jumpIfLess("r0", "r5", "decided"),
      add("r4", 1),
    ]),
    jump("beyond the limit"), // cannot be reached: fewer were left, or one of them decides

    label("end"),
    mapValue("r7", fds.config),
    load(4, "r1", "r7", CONFIG.acceptFrom),
    jumpIfLess("r0", "r1", "rejected"),
    jump("accepted"),

    label("decided"),
    jumpIfNotEqual("r0", 0, "accepted"), // not dead: universal

    label("rejected"),
    because("predicate"),
    jump("drop"),

    label("accepted"),
    mov("r3", slotOf("pass")),
  ];
}
