/**
 * What the diode program's four maps hold, byte by byte. All numbers are little-endian but those
 * marked *network order*, which stand as they do in a frame.
 *
 * | map | kind | value | written by |
 * | --- | --- | --- | --- |
 * | table | array, 1 entry, read-only for the program, frozen | `TABLE` | us, once |
 * | config | array, 1 entry, read-only for the program, frozen | `CONFIG` | us, once |
 * | counters | array, 1 entry | one u64 for each of `REASONS` (`reasons.ts`) | the program |
 * | events | ring buffer | `EVENT` records | the program |
 */
import { VeiError } from "../base/errors.ts";
import { Exit } from "../base/errors.ts";
import { parseIpv4, parseMac } from "../base/ipv4.ts";
import type { Dfa } from "../automaton/dfa.ts";
import type { Judgement } from "../automaton/judgement.ts";
import { byteKinds } from "./calm.ts";

/**
 * The automaton, a row for each state: first the state's *restless* byte kinds (a bit each, see
 * `calm.ts`), then the next state for each class of bytes. A state is *premultiplied*: the index
 * of its row, so that 1 + state + class is the index of the next one. 65,536 + 256 entries: every
 * u16 state plus every u8 class is in range, whatever the content, and the verifier sees it.
 */
export const TABLE = {
  /** u16[65,793]. Entries beyond the automaton are 0: the dead state. */
  rows: 0,
  entries: 65_536 + 256 + 1,
  /** Bytes from a row's begin to the next state for class 0. */
  next: 2,
  /** u8[256]: the class of each byte. */
  classes: 2 * (65_536 + 256 + 1),
  /** u8[256]: the kind of each byte, one bit. */
  kinds: 2 * (65_536 + 256 + 1) + 256,
} as const;
export const TABLE_VALUE_BYTES = TABLE.kinds + 256 + 6; // whole words of 8 bytes

/** Link rules and the automaton's few numbers. */
export const CONFIG = {
  /** u8[12]: destination (host) MAC, then source (guest) MAC, as a frame begins. */
  macs: 0,
  /** u8[8]: source (guest) IPv4 address, then destination (host) address, as in an IP header. */
  addresses: 12,
  /** u16, network order: the guest's one port. */
  sourcePort: 20,
  /** u16: least destination port. */
  leastDestinationPort: 22,
  /** u32: longest frame in bytes, Ethernet header included. */
  frameLimit: 24,
  /** u16: premultiplied start state. */
  start: 28,
  /** u32: premultiplied states below it are decided: the dead one (0) and the universal one. */
  decidedBelow: 32,
  /** u32: premultiplied states from it on accept at the payload's end. */
  acceptFrom: 36,
  /** u8: not 0: MAC addresses are not compared. */
  anyMac: 40,
  /** u8: not 0: the source port is not compared. */
  anySourcePort: 41,
  /** u8: not 0: TCP options are let through. */
  anyOptions: 42,
  /** u8: not 0: packets without a payload are dropped too. */
  dropEmpty: 43,
  /** u32: payload bytes that the table judges, at most WALK_LIMIT. */
  walkBytes: 44,
  /** u32: fewest and most payload bytes that are accepted. */
  leastSize: 48,
  mostSize: 52,
  /** Zero to the end. */
} as const;
export const CONFIG_VALUE_BYTES = 64;

/** u64[32]: more slots than reasons, so that a later reason changes no size. */
export const COUNTER_VALUE_BYTES = 256;

/** Size of the ring buffer's data: a power of two and whole pages; about 5,400 events. */
export const EVENTS_RING_BYTES = 262_144;

/**
 * One dropped frame. A field stays zero unless the checks before the reason's own have established
 * it: lengths of the frame always, addresses from `fragment` on, ports and sequence number from
 * `address` on, the payload's length from `syn_payload` on, the offset for `predicate` and
 * `walk_limit`.
 */
export const EVENT = {
  /** u64: CLOCK_MONOTONIC in ns. */
  time: 0,
  /** u8[4] each, network order. */
  source: 8,
  destination: 12,
  /** u16 each, network order. */
  sourcePort: 16,
  destinationPort: 18,
  /** u32, network order: TCP sequence number. */
  sequence: 20,
  /** u32 each. */
  payloadLength: 24,
  frameLength: 28,
  /** u32: index in `REASONS`. */
  reason: 32,
  /** u32: index of the payload byte that decided; the payload's length when its end did. */
  offset: 36,
} as const;
export const EVENT_BYTES = 40;

/**
 * A longer payload that is not decided by then, where the predicate looks further, is dropped as
 * `walk_limit`. More than any frame of an Ethernet link holds.
 */
export const WALK_LIMIT = 1536;

/** What may be on the link. */
export interface LinkRules {
  /** Of the host's end, `xx:xx:xx:xx:xx:xx`. */
  readonly hostMac: string;
  readonly guestMac: string;
  /** Dotted decimal. */
  readonly hostIp: string;
  readonly guestIp: string;
  /** The one port that the guest speaks from. */
  readonly guestPort: number;
  /** Longest frame in bytes, Ethernet header included. */
  readonly maxFrame: number;
  /** Do not compare MAC addresses. */
  readonly anyMac?: boolean;
  /** Do not compare the guest's port. */
  readonly anySourcePort?: boolean;
  /** Let TCP options through. */
  readonly anyOptions?: boolean;
  /** Drop packets without a payload too. */
  readonly dropEmpty?: boolean;
}

/** Ports below it are not the host's own ends of connections (RFC 6335, section 6). */
const LEAST_DESTINATION_PORT = 1024;

/** Entries that a table has room for: premultiplied states are u16. */
export const MAX_TABLE_ENTRIES = 65_536;

/** Entries of a row: the restless kinds, and a next state for each class. */
const rowOf = (dfa: Dfa) => 1 + dfa.classCount;

/** @returns how many of MAX_TABLE_ENTRIES the automaton takes. */
export function tableEntries(dfa: Dfa): number {
  return dfa.stateCount * rowOf(dfa);
}

/**
 * @returns the table map's value, TABLE_VALUE_BYTES long.
 * @throws VeiError `diode-too-large` when the automaton has more than MAX_TABLE_ENTRIES entries.
 */
export function encodeTable(dfa: Dfa): Uint8Array<ArrayBuffer> {
  const { classCount, stateCount, next, classOf } = dfa;
  const entries = tableEntries(dfa);
  if (entries > MAX_TABLE_ENTRIES) {
    throw new VeiError({
      code: "diode-too-large",
      message: `The predicate's automaton needs ${entries} table entries (${stateCount} states), ` +
        `and the kernel's table has ${MAX_TABLE_ENTRIES}`,
      hint: "use smaller numbers after within and size, or fewer predicates that count bytes",
      exit: Exit.config,
    });
  }
  const row = rowOf(dfa);
  const { kindOfClass, restless } = byteKinds(dfa);
  const value = new Uint8Array(TABLE_VALUE_BYTES);
  const view = new DataView(value.buffer);
  for (let state = 0; state < stateCount; state++) {
    const at = TABLE.rows + 2 * state * row;
    view.setUint16(at, restless[state], true);
    for (let symbol = 0; symbol < classCount; symbol++) {
      const premultiplied = next[state * classCount + symbol] * row;
      view.setUint16(at + TABLE.next + 2 * symbol, premultiplied, true);
    }
  }
  value.set(classOf, TABLE.classes);
  value.set(classOf.map((symbol) => kindOfClass[symbol]), TABLE.kinds);
  return value;
}

/**
 * @returns the configuration map's value, CONFIG_VALUE_BYTES long.
 * @throws VeiError `link-rules` for an address, port or limit that is none.
 */
export function encodeConfig(rules: LinkRules, judgement: Judgement): Uint8Array<ArrayBuffer> {
  const { dfa, leastSize, mostSize } = judgement;
  const value = new Uint8Array(CONFIG_VALUE_BYTES);
  const view = new DataView(value.buffer);
  try {
    value.set(parseMac(rules.hostMac), CONFIG.macs);
    value.set(parseMac(rules.guestMac), CONFIG.macs + 6);
    value.set(parseIpv4(rules.guestIp), CONFIG.addresses);
    value.set(parseIpv4(rules.hostIp), CONFIG.addresses + 4);
  } catch (cause) {
    throw wrongRules((cause as Error).message, cause);
  }
  const inRange = (what: string, number: number, least: number, most: number) => {
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw wrongRules(`The ${what} is ${number}, not a whole number from ${least} to ${most}`);
  };
  view.setUint16(CONFIG.sourcePort, inRange("guest's port", rules.guestPort, 1, 65_535));
  view.setUint16(CONFIG.leastDestinationPort, LEAST_DESTINATION_PORT, true);
  view.setUint32(CONFIG.frameLimit, inRange("frame limit", rules.maxFrame, 54, 65_535), true);
  view.setUint16(CONFIG.start, dfa.start * rowOf(dfa), true);
  view.setUint32(CONFIG.decidedBelow, 2 * rowOf(dfa), true);
  view.setUint32(CONFIG.acceptFrom, dfa.acceptFrom * rowOf(dfa), true);
  value[CONFIG.anyMac] = rules.anyMac ? 1 : 0;
  value[CONFIG.anySourcePort] = rules.anySourcePort ? 1 : 0;
  value[CONFIG.anyOptions] = rules.anyOptions ? 1 : 0;
  value[CONFIG.dropEmpty] = rules.dropEmpty ? 1 : 0;
  view.setUint32(CONFIG.walkBytes, walkBytes(judgement), true);
  view.setUint32(CONFIG.leastSize, leastSize, true);
  view.setUint32(CONFIG.mostSize, mostSize ?? 0xffff_ffff, true);
  return value;
}

/** A payload beyond its most size is decided when that many bytes have been walked. */
function walkBytes({ horizon, mostSize }: Judgement): number {
  return Math.min(horizon ?? WALK_LIMIT, mostSize ?? WALK_LIMIT, WALK_LIMIT);
}

function wrongRules(message: string, cause?: unknown): VeiError {
  return new VeiError({
    code: "link-rules",
    message,
    hint: "correct the link's addresses",
    exit: Exit.config,
    cause,
  });
}
