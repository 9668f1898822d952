/** Frames as a hostile guest would write them: every field settable, checksums right. */
import type { JudgeLink } from "../judge/link_rules.ts";
import type { Random } from "../judge/random.ts";

export const LINK: JudgeLink = {
  hostMac: [2, 0, 0, 0, 0, 1],
  guestMac: [0x52, 0x54, 0, 0x12, 0x34, 0x56],
  hostIp: [172, 30, 0, 1],
  guestIp: [172, 30, 0, 11],
  guestPort: 8080,
  maxFrame: 1514,
};

export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 };

/** MSS 1460, NOP, window scale 7. */
export const SYN_OPTIONS = [2, 4, 5, 180, 1, 3, 3, 7];

/** All there is in a frame. Lengths that are null are told as they are. */
export interface FrameSpec {
  destinationMac: number[];
  sourceMac: number[];
  /** VLAN tags and the like, before the ethertype. */
  tags: number[];
  ethertype: number;
  versionAndLength: number;
  totalLength: number | null;
  fragment: number;
  protocol: number;
  sourceIp: number[];
  destinationIp: number[];
  ipOptions: number[];
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  acknowledgement: number;
  dataOffset: number | null;
  reserved: number;
  flags: number;
  urgent: number;
  tcpOptions: number[];
  payload: Uint8Array;
  /** Bytes after the IP packet. */
  trailer: number;
  /** The frame ends after so many bytes. */
  cut: number | null;
}

export function spec(fields: Partial<FrameSpec> = {}): FrameSpec {
  return {
    destinationMac: LINK.hostMac,
    sourceMac: LINK.guestMac,
    tags: [],
    ethertype: 0x0800,
    versionAndLength: 0x45,
    totalLength: null,
    fragment: 0x4000,
    protocol: 6,
    sourceIp: LINK.guestIp,
    destinationIp: LINK.hostIp,
    ipOptions: [],
    sourcePort: LINK.guestPort,
    destinationPort: 40_000,
    sequence: 1,
    acknowledgement: 1,
    dataOffset: null,
    reserved: 0,
    flags: FLAG.psh | FLAG.ack,
    urgent: 0,
    tcpOptions: [],
    payload: new Uint8Array(),
    trailer: 0,
    cut: null,
    ...fields,
  };
}

/** @returns the frame's bytes, with checksums that a receiver accepts. */
export function serialise(s: FrameSpec): Uint8Array<ArrayBuffer> {
  const ip = 14 + s.tags.length;
  const tcp = ip + 20 + s.ipOptions.length;
  const payload = tcp + 20 + s.tcpOptions.length;
  const frame = new Uint8Array(payload + s.payload.length + s.trailer);
  const view = new DataView(frame.buffer);
  frame.set([...s.destinationMac, ...s.sourceMac, ...s.tags]);
  view.setUint16(ip - 2, s.ethertype);
  frame.set([s.versionAndLength, 0], ip);
  const packet = frame.length - s.trailer - ip;
  view.setUint16(ip + 2, (s.totalLength ?? packet) & 0xffff);
  view.setUint16(ip + 6, s.fragment);
  frame.set([64, s.protocol], ip + 8);
  frame.set([...s.sourceIp, ...s.destinationIp, ...s.ipOptions], ip + 12);
  view.setUint16(ip + 10, checksum(frame.subarray(ip, tcp)));

  view.setUint16(tcp, s.sourcePort);
  view.setUint16(tcp + 2, s.destinationPort);
  view.setUint32(tcp + 4, s.sequence);
  view.setUint32(tcp + 8, s.acknowledgement);
  frame[tcp + 12] = (s.dataOffset ?? (payload - tcp) / 4) << 4 | s.reserved;
  frame[tcp + 13] = s.flags;
  view.setUint16(tcp + 14, 1000); // window
  view.setUint16(tcp + 18, s.urgent);
  frame.set(s.tcpOptions, tcp + 20);
  frame.set(s.payload, payload);
  const end = payload + s.payload.length;
  const pseudo = new Uint8Array(12 + end - tcp);
  pseudo.set([...s.sourceIp, ...s.destinationIp, 0, 6]);
  new DataView(pseudo.buffer).setUint16(10, end - tcp);
  pseudo.set(frame.subarray(tcp, end), 12);
  view.setUint16(tcp + 16, checksum(pseudo));
  return s.cut === null ? frame : frame.slice(0, Math.max(14, s.cut));
}

/** The Internet checksum, RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i] << 8 | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

const SYN_ACK = FLAG.syn | FLAG.ack;
const GOOD_FLAGS = [0x10, 0x18, 0x18, 0x18, 0x11, 0x19, 0x04, 0x14, SYN_ACK];

/** @returns a frame that obeys the link rules. */
export function obedient(random: Random, payload: Uint8Array): FrameSpec {
  const flags = random.pick(GOOD_FLAGS);
  return spec({
    flags,
    tcpOptions: flags === SYN_ACK ? SYN_OPTIONS : [],
    payload: flags === SYN_ACK ? new Uint8Array() : payload,
    destinationPort: random.pick([1024, 1025, 40_000, 65_535]),
    sequence: random.below(2 ** 32),
    acknowledgement: random.below(2 ** 32),
    fragment: random.pick([0, 0x4000]),
  });
}

const near = (random: Random, value: number) => value + random.pick([-256, -1, 1, 2, 256]);
const options = (random: Random, words: number) => [...random.bytes(4 * random.below(words))];
const oneByte = (random: Random, bytes: number[]) =>
  bytes.with(random.below(bytes.length), random.below(256));

/** Each breaks, or nearly breaks, one rule. */
const MUTATIONS: ((random: Random, s: FrameSpec) => void)[] = [
  (r, s) =>
    s.destinationMac = r.once(2) ? [255, 255, 255, 255, 255, 255] : oneByte(r, LINK.hostMac),
  (r, s) => s.sourceMac = oneByte(r, LINK.guestMac),
  // VLAN 0 (a priority tag), another VLAN, 802.1ad, both, old QinQ types
  (r, s) => s.tags = [0x81, 0, r.pick([0, 0x20, 0xe0]), 0],
  (r, s) => s.tags = [0x81, 0, r.below(16), r.below(256)],
  (_, s) => s.tags = [0x88, 0xa8, 0, 0],
  (r, s) => s.tags = [r.pick([0x88, 0x91]), r.pick([0xa8, 0]), 0, r.below(3), 0x81, 0, 0, 0],
  (r, s) => s.ethertype = r.pick([0x0806, 0x86dd, 0x0801, 0x0008, 0x8100, r.below(65_536)]),
  (r, s) => s.versionAndLength = r.pick([0x44, 0x46, 0x4f, 0x40, 0x55, 0x65, 0x05, r.below(256)]),
  (r, s) => {
    s.ipOptions = [1, 1, 1, 0, ...options(r, 3)];
    s.versionAndLength = r.once(4) ? 0x45 : 0x45 + s.ipOptions.length / 4;
  },
  (r, s) => s.totalLength = near(r, 40 + s.tcpOptions.length + s.payload.length),
  (r, s) => s.totalLength = r.below(65_536),
  (r, s) => s.trailer = 1 + r.below(r.pick([2, 8, 64])),
  (r, s) => s.cut = r.below(70),
  (r, s) => s.cut = 54 + s.tcpOptions.length + s.payload.length - 1 - r.below(4),
  (r, s) => s.fragment = 1 << r.below(16),
  (r, s) => s.fragment = r.below(65_536),
  (r, s) => s.protocol = r.pick([1, 4, 5, 7, 17, 41, 47, 132, r.below(256)]),
  (r, s) => s.sourceIp = oneByte(r, LINK.guestIp),
  (r, s) => s.destinationIp = r.once(3) ? [172, 30, 0, 255] : oneByte(r, LINK.hostIp),
  (_, s) => [s.sourceIp, s.destinationIp] = [s.destinationIp, s.sourceIp],
  (r, s) => s.sourcePort = r.pick([8079, 8081, 0x901f, 80, 0, r.below(65_536)]),
  (r, s) => s.destinationPort = r.pick([0, 22, 80, 1023, 1024, 0x0004, r.below(65_536)]),
  (r, s) => s.flags = r.below(256),
  (r, s) => s.flags ^= 1 << r.below(8),
  (r, s) => (s.flags |= FLAG.urg, s.urgent = 1 + r.below(s.payload.length + 1)),
  (_, s) => (s.flags = FLAG.syn, s.payload = new Uint8Array()),
  (r, s) => s.reserved = 1 << r.below(4),
  (r, s) => s.dataOffset = r.below(16),
  (r, s) => s.tcpOptions = options(r, 10),
  (_, s) => s.tcpOptions = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2], // timestamps
  (r, s) => (s.flags = SYN_ACK, s.tcpOptions = oneByte(r, SYN_OPTIONS)),
  (r, s) => (s.flags = SYN_ACK, s.tcpOptions = [...SYN_OPTIONS, ...r.bytes(4)]),
  (r, s) => (s.flags = SYN_ACK, s.tcpOptions = r.once(2) ? [] : SYN_OPTIONS.slice(0, 4)),
  (r, s) => (s.flags = SYN_ACK, s.tcpOptions = SYN_OPTIONS, s.payload = r.bytes(1 + r.below(4))),
  (_, s) => s.payload = new Uint8Array(),
];

/** @returns a frame that obeys (one in three), or breaks or almost breaks one rule or two. */
export function anyFrame(random: Random, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const s = obedient(random, payload);
  const mutations = random.pick([0, 1, 1, 1, 1, 2]);
  for (let i = 0; i < mutations; i++) random.pick(MUTATIONS)(random, s);
  const frame = serialise(s);
  if (random.once(12)) frame[random.below(Math.min(frame.length, 64))] ^= 1 << random.below(8);
  return frame;
}

const encoder = new TextEncoder();
const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 507, 511, 512, 513, 516, 1399, 1459, 1460];

/** @returns payloads around every limit of "the word within the first 512 bytes". */
export function anyPayload(random: Random, word = "hate"): Uint8Array<ArrayBuffer> {
  const length = random.once(40)
    ? random.pick([1461, 1462, 1500, 2000])
    : random.once(2)
    ? random.pick(LENGTHS)
    : random.below(64);
  const alphabet = encoder.encode(word + random.pick(["", "x", word.toUpperCase(), "\0ÿ"]));
  const payload = random.bytes(length);
  if (random.once(2)) payload.forEach((byte, i) => payload[i] = alphabet[byte % alphabet.length]);
  for (let i = random.below(3); i > 0; i--) {
    const at = random.once(2) ? 504 + random.below(12) : random.below(length + 1);
    if (at + word.length <= length) payload.set(encoder.encode(word), at);
  }
  if (random.once(8)) payload.set(encoder.encode(word.slice(0, -1)).subarray(0, length));
  return payload;
}
