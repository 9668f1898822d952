/**
 * The diode: one XDP program for every predicate and every address. What differs between diodes is
 * in its maps (`layout.ts`); the bytes here never change but for the maps' descriptors.
 *
 * In order: the link rules, each with a reason of its own; the walk of the payload over the table;
 * the verdict. Straight-line code but for one loop. Nothing is written but counters, events and the
 * stack, and helpers are called only when the verdict is already *drop*, so the way of a packet
 * that passes is loads, adds and compares.
 *
 * Registers, from the first instruction to the verdict:
 *
 *     r0 reason that the next failed check gives; in the walk: the state, premultiplied
 *     r1 scratch; TCP flags; in the walk: the table
 *     r2 scratch; then the payload's next byte
 *     r3 scratch
 *     r4 payload bytes walked
 *     r5 scratch; in the walk: decidedBelow
 *     r6 the frame          r8 its end
 *     r7 config; in the walk: the state where the group of bytes began
 *     r9 in the walk: the byte classes
 */
import { assemble, label, type Line } from "./assembler.ts";
import {
  add,
  and,
  atomicAdd,
  call,
  exit,
  fromBigEndian16,
  Helper,
  jump,
  jumpIfEqual,
  jumpIfGreater,
  jumpIfLess,
  jumpIfNotEqual,
  load,
  mapReference,
  mapValue,
  mov,
  type Register,
  shiftLeft,
  shiftRight,
  store,
  sub,
} from "./isa.ts";
import { CONFIG, EVENT, EVENT_BYTES, TABLE, WALK_LIMIT } from "./layout.ts";
import { type Reason, slotOf } from "./reasons.ts";

/** One of something for each of the program's maps. */
export interface DiodeMaps<T> {
  readonly table: T;
  readonly config: T;
  readonly counters: T;
  readonly events: T;
}

/** `enum xdp_action` */
export const XDP_DROP = 1;
export const XDP_PASS = 2;

/** `struct xdp_md` */
const XDP_MD = { data: 0, dataEnd: 4 } as const;

/** Where things are in a frame: Ethernet II (14), IPv4 without options (20), TCP (RFC 9293). */
const FRAME = {
  ethertype: 12,
  ip: 14,
  totalLength: 16,
  fragment: 20,
  protocol: 23,
  source: 26,
  destination: 30,
  tcp: 34,
  destinationPort: 36,
  sequence: 38,
  dataOffset: 46,
  flags: 47,
  payload: 54,
  /** The payload of a SYN+ACK with MSS, NOP and window scale. */
  synPayload: 62,
} as const;

/** Two bytes as a 16-bit load sees them. */
const pair = (first: number, second: number) => second << 8 | first;

const FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16;

/** All the flags there may be; everything else in that byte is URG, ECE or CWR. */
const FLAGS = [
  ACK,
  PSH | ACK,
  FIN | ACK,
  FIN | PSH | ACK,
  SYN | ACK,
  RST,
  RST | ACK,
];

/** Bytes that the loop takes at once; WALK_LIMIT is a multiple. */
const GROUP = 4;

/** No byte that the loop reaches is as far into the frame: headers, options and WALK_LIMIT. */
const FURTHEST = 2048;

/** Stack offset of an event's field. */
const event = (field: keyof typeof EVENT) => EVENT[field] - EVENT_BYTES;

/**
 * @param fds descriptors of the four maps. With zeros, the bytes whose digest names the program.
 * @returns raw instructions, ready for `BPF_PROG_LOAD` (type XDP, licence any).
 */
export function diodeProgram(fds: DiodeMaps<number>): Uint8Array<ArrayBuffer> {
  return assemble([
    ...frameRules(fds),
    ...ipRules(),
    ...tcpRules(),
    ...payloadStart(),
    ...walk(fds),
    ...passVerdict(fds),
    ...dropVerdict(fds),
  ]);
}

/** What a check that fails from here on is counted as. */
const because = (reason: Reason) => mov("r0", slotOf(reason));

/** @returns lines that drop the frame unless two loads of `width` are equal. */
function mustEqual(width: 2 | 4, frameOffset: number, configOffset: number): Line[] {
  return [
    load(width, "r1", "r6", frameOffset),
    load(width, "r2", "r7", configOffset),
    jumpIfNotEqual("r1", "r2", "drop"),
  ];
}

/** The frame as a whole: its length, the packet's own length, Ethernet. */
function frameRules(fds: DiodeMaps<number>): Line[] {
  return [
    load(4, "r6", "r1", XDP_MD.data),
    load(4, "r8", "r1", XDP_MD.dataEnd),
    mapValue("r7", fds.config),
    mov("r4", 0),

    because("oversize"),
    mov("r3", "r8"),
    sub("r3", "r6"),
    load(4, "r1", "r7", CONFIG.frameLimit),
    jumpIfGreater("r3", "r1", "drop"),

    because("short"),
    mov("r1", "r6"),
    add("r1", FRAME.payload),
    jumpIfGreater("r1", "r8", "drop"),

    because("length"),
    load(2, "r1", "r6", FRAME.totalLength),
    fromBigEndian16("r1"),
    add("r1", FRAME.ip),
    jumpIfNotEqual("r1", "r3", "drop"),

    because("mac"),
    load(1, "r1", "r7", CONFIG.anyMac),
    jumpIfNotEqual("r1", 0, "mac is right"),
    ...[0, 4, 8].flatMap((at) => mustEqual(4, at, CONFIG.macs + at)),
    label("mac is right"),

    because("ethertype"),
    load(2, "r1", "r6", FRAME.ethertype),
    jumpIfNotEqual("r1", pair(0x08, 0x00), "drop"),
  ];
}

function ipRules(): Line[] {
  return [
    because("ip_header"),
    load(1, "r1", "r6", FRAME.ip),
    jumpIfNotEqual("r1", 0x45, "drop"), // version 4, five words

    because("fragment"),
    load(2, "r1", "r6", FRAME.fragment),
    and("r1", pair(0xbf, 0xff)), // all but "don't fragment"
    jumpIfNotEqual("r1", 0, "drop"),

    because("protocol"),
    load(1, "r1", "r6", FRAME.protocol),
    jumpIfNotEqual("r1", 6, "drop"),

    because("address"),
    ...mustEqual(4, FRAME.source, CONFIG.addresses),
    ...mustEqual(4, FRAME.destination, CONFIG.addresses + 4),
  ];
}

/** Ports, flags, reserved bits. Leaves the flags in r1 and the data offset's byte in r2. */
function tcpRules(): Line[] {
  return [
    because("port"),
    load(1, "r1", "r7", CONFIG.anySourcePort),
    jumpIfNotEqual("r1", 0, "source port is right"),
    ...mustEqual(2, FRAME.tcp, CONFIG.sourcePort),
    label("source port is right"),
    load(2, "r1", "r6", FRAME.destinationPort),
    fromBigEndian16("r1"),
    load(2, "r2", "r7", CONFIG.leastDestinationPort),
    jumpIfLess("r1", "r2", "drop"),

    because("flags"),
    load(1, "r1", "r6", FRAME.flags),
    ...FLAGS.map((flags) => jumpIfEqual("r1", flags, "flags are right")),
    jump("drop"),
    label("flags are right"),

    because("reserved"),
    load(1, "r2", "r6", FRAME.dataOffset),
    mov("r3", "r2"),
    and("r3", 0x0f),
    jumpIfNotEqual("r3", 0, "drop"),
  ];
}

/** TCP options. Leaves the payload's address in r2 and its length in r3 and the event. */
function payloadStart(): Line[] {
  return [
    because("options"),
    shiftRight("r2", 2), // the byte is words << 4: this is bytes
    load(1, "r3", "r7", CONFIG.anyOptions),
    jumpIfNotEqual("r3", 0, "any options"),
    jumpIfEqual("r1", SYN | ACK, "options of a SYN+ACK"),
    jumpIfNotEqual("r2", FRAME.payload - FRAME.tcp, "drop"),
    mov("r2", "r6"),
    add("r2", FRAME.payload),
    jump("payload"),

    label("options of a SYN+ACK"),
    jumpIfNotEqual("r2", FRAME.synPayload - FRAME.tcp, "drop"),
    mov("r2", "r6"),
    add("r2", FRAME.synPayload),
    jumpIfGreater("r2", "r8", "drop"),
    load(2, "r3", "r6", FRAME.payload),
    jumpIfNotEqual("r3", pair(2, 4), "drop"), // maximum segment size, 4 bytes
    load(2, "r3", "r6", FRAME.payload + 4),
    jumpIfNotEqual("r3", pair(1, 3), "drop"), // no operation; window scale,
    load(1, "r3", "r6", FRAME.payload + 6),
    jumpIfNotEqual("r3", 3, "drop"), // 3 bytes
    jump("payload"),

    label("any options"),
    jumpIfLess("r2", FRAME.payload - FRAME.tcp, "drop"),
    add("r2", "r6"),
    add("r2", FRAME.tcp),
    jumpIfGreater("r2", "r8", "drop"),

    label("payload"),
    mov("r3", "r8"),
    sub("r3", "r2"),
    store(4, "r10", event("payloadLength"), "r3"),
    because("syn_payload"),
    jumpIfEqual("r3", 0, "no payload"),
    jumpIfEqual("r1", SYN | ACK, "drop"),
    jump("walk"),

    label("no payload"),
    because("empty"),
    load(1, "r3", "r7", CONFIG.dropEmpty),
    jumpIfNotEqual("r3", 0, "drop"),
    mov("r3", slotOf("pass_empty")),
    jump("pass"),
  ];
}

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
function walk(fds: DiodeMaps<number>): Line[] {
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
function passVerdict(fds: DiodeMaps<number>): Line[] {
  return [
    label("pass"),
    ...count(fds, "r3"),
    mov("r0", XDP_PASS),
    exit(),
  ];
}

/** With the reason in r0 and the offset in r4: the event, field by field, and the counter. */
function dropVerdict(fds: DiodeMaps<number>): Line[] {
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
