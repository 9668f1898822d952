/** The diode program's first part: the link rules. Registers: see `program.ts`. */
import { label, type Line } from "./assembler.ts";
import {
  add,
  and,
  fromBigEndian16,
  jump,
  jumpIfEqual,
  jumpIfGreater,
  jumpIfLess,
  jumpIfNotEqual,
  load,
  mapValue,
  mov,
  shiftRight,
  store,
  sub,
} from "./isa.ts";
import { CONFIG } from "./layout.ts";
import { because, type DiodeMaps, event, FRAME } from "./program_parts.ts";
import { slotOf } from "./reasons.ts";

/** `struct xdp_md` */
const XDP_MD = { data: 0, dataEnd: 4 } as const;

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

/** @returns lines that drop the frame unless two loads of `width` are equal. */
function mustEqual(width: 2 | 4, frameOffset: number, configOffset: number): Line[] {
  return [
    load(width, "r1", "r6", frameOffset),
    load(width, "r2", "r7", configOffset),
    jumpIfNotEqual("r1", "r2", "drop"),
  ];
}

/** The frame as a whole: its length, the packet's own length, Ethernet. */
export function frameRules(fds: DiodeMaps<number>): Line[] {
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

export function ipRules(): Line[] {
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
export function tcpRules(): Line[] {
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
export function payloadStart(): Line[] {
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
