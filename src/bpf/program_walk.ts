/** The diode program's second part: the payload's walk over the table. Registers: see `program.ts`. */
import { label, type Line } from "./assembler.ts";
import {
  add,
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
} from "./isa.ts";
import { CONFIG, EVENT_BYTES, TABLE, WALK_LIMIT } from "./layout.ts";
import { because, type DiodeMaps, event } from "./program_parts.ts";
import { slotOf } from "./reasons.ts";

/** Bytes that the loop takes at once. */
export const GROUP = 8;

/** Bytes that it asks at once whether they are calm; finer costs the verifier more time. */
export const UNIT = 4;

/** No byte that the loop reaches is as far into the frame: headers, options and WALK_LIMIT. */
const FURTHEST = 2048;

/** register = where the class of the payload byte at r2 + `at` stands. */
function byteAt(at: number, register: Register): Line[] {
  return [load(1, register, "r2", at), add(register, "r9")];
}

/** register = the kind of the payload byte at r2 + `at`. */
function kindOf(at: number, register: Register): Line[] {
  return [...byteAt(at, register), load(1, register, register, TABLE.kinds - TABLE.classes)];
}

/** r0 = next state of r0 on the payload byte at r2 + `at`. */
function step(at: number): Line[] {
  // What does not need the state comes first: the chain from state to state is two adds and a load.
  return [
    ...byteAt(at, "r3"),
    load(1, "r3", "r3", 0),
    shiftLeft("r3", 1),
    add("r3", "r7"),
    add("r3", "r0"),
    add("r3", "r0"),
    load(2, "r0", "r3", TABLE.next),
  ];
}

/** r5 = the kinds of bytes that may lead away from state r0. */
function restless(): Line[] {
  return [
    mov("r3", "r0"),
    shiftLeft("r3", 1),
    add("r3", "r7"),
    load(2, "r5", "r3", 0),
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

/** Stack offsets: decidedBelow, and the state where the group of bytes began. */
export const DECIDED_BELOW = -EVENT_BYTES - 8, BEFORE_GROUP = -EVENT_BYTES - 16;

/** After a whole group in state r0: once more from the loop's head, unless the state is decided. */
function nextGroup(): Line[] {
  return [
    load(8, "r1", "r10", DECIDED_BELOW),
    shiftRight("r1", 1),
    jumpIfLess("r0", "r1", "again"),
    add("r2", GROUP),
    add("r4", -GROUP),
    jump("group"),
  ];
}

/**
 * The walk. The loop takes GROUP bytes at once; of each UNIT of them it asks whether the state stays
 * (`calm.ts`), and steps over them where it may not. Only then does it look whether the state is
 * decided; if so, the group is walked again byte by byte, which finds the byte that decided. The
 * same lines walk the last bytes of a payload.
 */
export function walk(fds: DiodeMaps<number>): Line[] {
  const bytes = [...Array(GROUP).keys()];
  const units = bytes.filter((at) => at % UNIT === 0);
  return [
    label("walk"),
    // r3, the payload's length, has no bit 63, but the verifier does not know: so it does not take
    // the two numbers for constants, and what it checks for any it does not check again for these.
    shiftRight("r3", 63),
    add("r3", "r7"),
    load(2, "r0", "r3", CONFIG.start),
    load(4, "r1", "r3", CONFIG.decidedBelow),
    jumpIfLess("r0", "r1", "decided"), // by the first byte, whatever it is
    shiftLeft("r1", 1),
    store(8, "r10", DECIDED_BELOW, "r1"),
    load(4, "r4", "r7", CONFIG.walkBytes),
    jumpIfLess("r4", WALK_LIMIT + 1, "limit is right"),
    jump("beyond the limit"), // cannot be reached with a limit that is ours
    label("limit is right"),
    mapValue("r7", fds.table, TABLE.rows),
    mapValue("r9", fds.table, TABLE.classes),
    ...restless(),
    ...sameAddress("groups are near"),

    label("group"),
    mov("r3", "r2"),
    add("r3", GROUP),
    jumpIfGreater("r3", "r8", "bytes"),
    jumpIfLess("r4", GROUP, "bytes"),
    // Doubled: of a plain copy the verifier would remember that it is one.
    mov("r3", "r0"),
    shiftLeft("r3", 1),
    store(8, "r10", BEFORE_GROUP, "r3"),
    ...units.flatMap((at) => [
      ...kindOf(at, "r3"),
      ...bytes.slice(1, UNIT).flatMap((i) => [...kindOf(at + i, "r1"), or("r3", "r1")]),
      jumpIfCommonBit("r3", "r5", `step ${at}`),
      label(`after ${at}`),
    ]),
    ...nextGroup(),

    ...units.flatMap((at) => [
      label(`step ${at}`),
      ...bytes.slice(0, UNIT).flatMap((i) => step(at + i)),
      ...restless(),
      // All jumps but those to a cut of the proof go forward: the group's end is written twice.
      ...at + UNIT < GROUP ? [jump(`after ${at}`)] : nextGroup(),
    ]),

    label("again"),
    load(8, "r0", "r10", BEFORE_GROUP),
    shiftRight("r0", 1),
    label("bytes"),
    // r4 = r4, computed anew, for the same reason as r2: walkBytes less the bytes walked.
    mov("r3", "r8"),
    sub("r3", "r2"),
    load(4, "r1", "r10", event("payloadLength")),
    sub("r1", "r3"),
    mapValue("r4", fds.config),
    load(4, "r4", "r4", CONFIG.walkBytes),
    sub("r4", "r1"),
    ...sameAddress("bytes are near"),
    load(8, "r1", "r10", DECIDED_BELOW),
    shiftRight("r1", 1),
    ...bytes.flatMap((at) => [
      mov("r3", "r2"),
      add("r3", 1),
      jumpIfGreater("r3", "r8", "end"),
      jumpIfEqual("r4", at, "spent"),
      ...step(0),
      jumpIfLess("r0", "r1", "decided"),
      add("r2", 1),
    ]),
    jump("beyond the limit"), // cannot be reached: fewer were left, or one of them decides

    ...verdictOfWalk(fds),
  ];
}

/** Reads a number of the configuration at r7 into a register. */
const config = (register: Register, field: "walkBytes" | "leastSize" | "mostSize" | "acceptFrom") =>
  load(4, register, "r7", CONFIG[field]);

/** From the walk's end, however it came, to "pass" or "drop" with reason and offset. */
function verdictOfWalk(fds: DiodeMaps<number>): Line[] {
  return [
    label("decided"),
    jumpIfNotEqual("r0", 0, "universal"),
    mov("r3", "r8"),
    sub("r3", "r2"),
    load(4, "r4", "r10", event("payloadLength")),
    sub("r4", "r3"),
    jump("rejected"),

    label("universal"),
    mov("r0", -1), // not below any state
    jump("end"),

    // There are more bytes than the table judges.
    label("spent"),
    mapValue("r7", fds.config),
    config("r1", "walkBytes"),
    jumpIfNotEqual("r1", WALK_LIMIT, "end"),
    label("beyond the limit"),
    mov("r4", WALK_LIMIT),
    because("walk_limit"),
    jump("drop"),

    label("end"),
    mapValue("r7", fds.config),
    load(4, "r2", "r10", event("payloadLength")),
    config("r4", "mostSize"),
    jumpIfGreater("r2", "r4", "rejected"),
    mov("r4", "r2"),
    config("r1", "acceptFrom"),
    jumpIfLess("r0", "r1", "rejected"),
    config("r1", "leastSize"),
    jumpIfLess("r2", "r1", "rejected"),
    mov("r3", slotOf("pass")),
    jump("pass"),

    label("rejected"),
    because("predicate"),
    jump("drop"),
  ];
}
