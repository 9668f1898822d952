/** The diode program's last part: count, report, decide. Registers: see `program.ts`. */
import { label, type Line } from "./assembler.ts";
import {
  add,
  atomicAdd,
  call,
  exit,
  Helper,
  jumpIfEqual,
  jumpIfGreater,
  jumpIfLess,
  load,
  mapReference,
  mapValue,
  mov,
  type Register,
  shiftLeft,
  store,
  sub,
} from "./isa.ts";
import { EVENT_BYTES } from "./layout.ts";
import { type DiodeMaps, event, FRAME } from "./program_parts.ts";
import { slotOf } from "./reasons.ts";

/** `enum xdp_action` */
export const XDP_DROP = 1;
export const XDP_PASS = 2;

/** counters[slot in `register`] += 1. Uses r1, r2 and the register. */
function count(fds: DiodeMaps<number>, register: Register): Line[] {
  return [
    shiftLeft(register, 3),
    mapValue("r1", fds.counters),
    add("r1", register),
    mov("r2", 1),
    atomicAdd("r1", 0, "r2"),
  ];
}

/** With the counter's slot in r3. */
export function passVerdict(fds: DiodeMaps<number>): Line[] {
  return [
    label("pass"),
    ...count(fds, "r3"),
    mov("r0", XDP_PASS),
    exit(),
  ];
}

/** With the reason in r0 and the offset in r4: the event, field by field, and the counter. */
export function dropVerdict(fds: DiodeMaps<number>): Line[] {
  return [
    label("drop"),
    store(4, "r10", event("reason"), "r0"),
    store(4, "r10", event("offset"), "r4"),
    mov("r3", "r8"),
    sub("r3", "r6"),
    store(4, "r10", event("frameLength"), "r3"),

    // A field is told only when the checks before this reason have established it.
    mov("r3", 0),
    store(8, "r10", event("source"), "r3"),
    store(8, "r10", event("sourcePort"), "r3"),
    jumpIfLess("r0", slotOf("fragment"), "no payload length"),
    load(4, "r3", "r6", FRAME.source),
    store(4, "r10", event("source"), "r3"),
    load(4, "r3", "r6", FRAME.destination),
    store(4, "r10", event("destination"), "r3"),
    jumpIfLess("r0", slotOf("address"), "no payload length"),
    load(4, "r3", "r6", FRAME.tcp),
    store(4, "r10", event("sourcePort"), "r3"), // both ports
    load(4, "r3", "r6", FRAME.sequence),
    store(4, "r10", event("sequence"), "r3"),
    mov("r3", slotOf("options")),
    jumpIfGreater("r0", "r3", "report"),
    label("no payload length"),
    mov("r3", 0),
    store(4, "r10", event("payloadLength"), "r3"),

    label("report"),
    ...count(fds, "r0"),
    call(Helper.ktimeGetNs),
    store(8, "r10", event("time"), "r0"),
    mapReference("r1", fds.events),
    mov("r2", "r10"),
    add("r2", -EVENT_BYTES),
    mov("r3", EVENT_BYTES),
    mov("r4", 0),
    call(Helper.ringbufOutput),
    jumpIfEqual("r0", 0, "reported"),
    mov("r3", slotOf("events_lost")),
    ...count(fds, "r3"),
    label("reported"),
    mov("r0", XDP_DROP),
    exit(),
  ];
}
