/**
 * What the program is to do, as terms: the link rules and the walk over the table. This, not the
 * program, is what a person reads to know which frames pass. Offsets in a frame are those of
 * Ethernet II (14 bytes), IPv4 without options (20; RFC 791) and TCP (RFC 9293).
 */
import { CONFIG, TABLE, WALK_LIMIT } from "./layout.ts";
import type { Term, Terms } from "./term.ts";

const FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16;
const FLAGS = [ACK, PSH | ACK, FIN | ACK, FIN | PSH | ACK, SYN | ACK, RST, RST | ACK];
const HEADERS = 54, SYN_HEADERS = 62, TCP = 34;

export class Specification {
  readonly decidedBelow: Term;
  readonly walkBytes: Term;
  readonly start: Term;

  constructor(private readonly t: Terms) {
    this.decidedBelow = this.setting("decidedBelow", 4);
    this.walkBytes = this.setting("walkBytes", 4);
    this.start = this.setting("start", 2);
  }

  number(value: number): Term {
    return this.t.constant(value, 64);
  }

  private wide(term: Term): Term {
    return this.t.zext(term, 64);
  }

  private configByte(at: number): Term {
    return this.t.apply("config", this.number(at), 8);
  }

  /** A little-endian number of the configuration, as 64 bits. */
  private setting(name: keyof typeof CONFIG, bytes: number): Term {
    const parts = [...Array(bytes).keys()].map((i) => this.configByte(CONFIG[name] + i));
    return this.wide(parts.reduce((low, high) => this.t.concat(high, low)));
  }

  private flag(name: keyof typeof CONFIG): Term {
    return this.t.not(this.t.eq(this.configByte(CONFIG[name]), this.t.constant(0, 8)));
  }

  private byte(at: number): Term {
    return this.frameByte(this.number(at));
  }

  /** Two bytes in network order, as 64 bits. */
  private pair(at: number): Term {
    return this.wide(this.t.concat(this.byte(at), this.byte(at + 1)));
  }

  /** Whether the frame's byte at `at`, but for the bits outside `mask`, is `value`. */
  private is(at: number, value: number, mask = 0xff): Term {
    const { t } = this;
    return t.eq(t.and(this.byte(at), t.constant(mask, 8)), t.constant(value, 8));
  }

  /** Whether the frame's bytes from `at` on are the configuration's from `from` on. */
  private same(at: number, from: number, bytes: number): Term {
    const { t } = this;
    const each = [...Array(bytes).keys()].map((i) =>
      t.eq(this.byte(at + i), this.configByte(from + i))
    );
    return t.all(...each);
  }

  /** Bytes before the payload: fixed, but for a SYN+ACK and where any TCP options may be. */
  payloadStart(): Term {
    const { t } = this;
    const words = this.wide(t.shr(this.byte(46), 4));
    const free = t.add(t.shl(words, 2), this.number(TCP));
    const fixed = t.ite(this.is(47, SYN | ACK), this.number(SYN_HEADERS), this.number(HEADERS));
    return t.ite(this.flag("anyOptions"), free, fixed);
  }

  /** @returns whether a frame of `length` bytes keeps the link rules, whatever its payload is. */
  linkRules(length: Term): Term {
    const { t } = this;
    const start = this.payloadStart();
    const synAck = this.is(47, SYN | ACK);
    const synOptions = [[54, 2], [55, 4], [58, 1], [59, 3], [60, 3]].map(([at, value]) =>
      this.is(at, value)
    );
    const fixedOptions = t.ite(
      synAck,
      t.all(this.is(46, 7 << 4), ...synOptions),
      this.is(46, 5 << 4),
    );
    return t.all(
      t.ule(length, this.setting("frameLimit", 4)),
      t.ule(this.number(HEADERS), length),
      t.eq(length, t.add(this.pair(16), this.number(14))),
      t.or(this.flag("anyMac"), this.same(0, CONFIG.macs, 12)),
      this.is(12, 0x08),
      this.is(13, 0x00),
      this.is(14, 0x45), // version 4, no options
      this.is(20, 0, 0xbf), // no fragment, "don't fragment" may be set
      this.is(21, 0),
      this.is(23, 6), // TCP
      this.same(26, CONFIG.addresses, 8),
      t.or(this.flag("anyPort"), this.same(34, CONFIG.sourcePort, 2)),
      t.ule(this.setting("leastPort", 2), this.pair(36)),
      t.any(...FLAGS.map((flags) => this.is(47, flags))), // so neither URG nor ECE nor CWR
      this.is(46, 0, 0x0f), // reserved bits
      t.ule(this.number(HEADERS), start),
      t.ule(start, length),
      t.or(this.flag("anyOptions"), fixedOptions),
    );
  }

  /** Whether a packet without a payload passes, where the link rules are kept. */
  emptyPasses(): Term {
    return this.t.not(this.flag("dropEmpty"));
  }

  /** Whether a packet may have a payload: a SYN+ACK may not. */
  mayCarry(): Term {
    return this.t.not(this.is(47, SYN | ACK));
  }

  /** The byte with the TCP flags, as 64 bits. */
  flagByte(): Term {
    return this.wide(this.byte(47));
  }

  private tableByte(base: number, byte: Term): Term {
    return this.t.apply("table8", this.t.add(this.wide(byte), this.number(base)), 8);
  }

  /** The state after `state` (16 bits) on a byte of the payload. */
  next(state: Term, byte: Term): Term {
    const { t } = this;
    const row = t.shl(this.wide(this.tableByte(TABLE.classes, byte)), 1);
    const at = t.add(t.add(row, this.wide(state)), this.wide(state));
    return t.apply("table16", t.add(at, this.number(TABLE.rows + TABLE.next)), 16);
  }

  /** The kinds of bytes under which a state is restless, as 16 bits. */
  restless(state: Term): Term {
    const { t } = this;
    const at = t.add(t.shl(this.wide(state), 1), this.number(TABLE.rows));
    return t.apply("table16", at, 16);
  }

  /** Decided is the state from which every way leads to itself. */
  decided(state: Term): Term {
    return this.t.ult(this.wide(state), this.decidedBelow);
  }

  /** The frame's byte at an offset of 64 bits. */
  frameByte(at: Term): Term {
    return this.t.apply("frame", at, 8);
  }

  /** Whether the walk is at its end after `index` bytes of a payload of `length`. */
  atEnd(index: Term, length: Term): Term {
    return this.t.or(this.t.eq(index, length), this.t.eq(index, this.walkBytes));
  }

  /** Of a decided state: whether nothing is accepted from it. From the other, everything is. */
  isDead(state: Term): Term {
    return this.t.eq(state, this.t.constant(0, 16));
  }

  /** Whether a walk that is not decided has stopped too early: more bytes follow than any walk takes. */
  isTooMuch(more: Term): Term {
    return this.t.and(more, this.t.eq(this.walkBytes, this.number(WALK_LIMIT)));
  }

  /** Whether a payload of `length` passes whose walk stopped in `state`, which does not refuse. */
  accepted(state: Term, length: Term): Term {
    const { t } = this;
    return t.all(
      t.or(this.decided(state), t.ule(this.setting("acceptFrom", 4), this.wide(state))),
      t.ule(this.setting("leastSize", 4), length),
      t.ule(length, this.setting("mostSize", 4)),
    );
  }

  /** From a decided state no byte leads away: `checkMaps` finds it so of every state and byte. */
  staysIfDecided(state: Term, byte: Term): Term {
    const { t } = this;
    const next = this.next(state, byte);
    return t.implies(this.decided(state), t.and(t.eq(next, state), this.decided(next)));
  }

  /** Nor from any state a byte whose kind is not among its restless ones: `checkMaps` again. */
  staysIfCalm(state: Term, byte: Term): Term {
    const { t } = this;
    const kinds = t.and(t.zext(this.tableByte(TABLE.kinds, byte), 16), this.restless(state));
    const calm = t.eq(kinds, t.constant(0, 16));
    return t.implies(calm, t.eq(this.next(state, byte), state));
  }

  /** What `checkMaps` has found of the configuration. */
  configHolds(): Term {
    return this.t.ule(this.walkBytes, this.number(WALK_LIMIT));
  }
}
