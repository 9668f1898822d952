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
/** Bytes of which the program asks at once whether they are calm. */
const UNIT = 4;

/** A place in the walk over a frame's payload: 64 bits each, but for `state`, which has 16. */
export interface Walk {
  /** Bytes before the payload. */
  readonly start: Term;
  /** Bytes of the payload. */
  readonly length: Term;
  /** Bytes of the payload that have been walked. */
  readonly index: Term;
  /** The table's state after them. */
  readonly state: Term;
}

export class Specification {
  /** States below it are decided: nothing that follows leads away from them. */
  readonly decidedBelow: Term;
  /** So many bytes of a payload are walked at most. */
  readonly walkBytes: Term;
  /** Where the walk begins. */
  readonly first: Term;

  constructor(private readonly t: Terms) {
    this.decidedBelow = this.setting("decidedBelow", 4);
    this.walkBytes = this.setting("walkBytes", 4);
    this.first = t.extract(this.setting("start", 2), 0, 16);
  }

  /** Whether a frame of `length` bytes is to pass. */
  accepts(length: Term): Term {
    const start = this.payloadStart();
    const payload = this.t.sub(length, start);
    return this.t.and(this.linkRules(length, start), this.payloadPasses(start, payload));
  }

  /** Whether a payload passes, where the link rules are kept: an empty one too may be refused. */
  payloadPasses(start: Term, length: Term): Term {
    const { t } = this;
    const index = this.number(0);
    const walked = this.rest({ start, length, index, state: this.first });
    const carries = t.not(this.is(47, SYN | ACK)); // a SYN+ACK may not carry data
    const emptyPasses = t.not(this.flag("dropEmpty"));
    return t.ite(t.eq(length, this.number(0)), emptyPasses, t.and(carries, walked));
  }

  /** Whether the payload passes, by the walk from this place on. What that is, says `restLaw`. */
  rest({ index, state }: Walk): Term {
    return this.t.apply("rest", this.t.concat(index, state), 1);
  }

  /**
   * The walk itself, a byte at a time. It stops when it is decided, at the payload's end, and after
   * `walkBytes` bytes: where that is as far as any walk goes, what is not decided by then is refused.
   */
  restLaw(walk: Walk): Term {
    const { t, walkBytes } = this;
    const decided = this.decided(walk.state);
    const atEnd = t.eq(walk.index, walk.length);
    const stops = t.any(decided, atEnd, t.eq(walk.index, walkBytes));
    const isFarthest = t.eq(walkBytes, this.number(WALK_LIMIT));
    const inTime = t.any(decided, atEnd, t.not(isFarthest));
    const verdict = t.and(inTime, this.stopped(walk));
    return t.eq(this.rest(walk), t.ite(stops, verdict, this.rest(this.after(walk))));
  }

  /** Whether a payload passes whose walk has stopped here. */
  stopped({ state, length }: Walk): Term {
    const { t } = this;
    const accepting = t.ule(this.setting("acceptFrom", 4), this.wide(state));
    const alive = t.not(t.eq(state, t.constant(0, 16))); // of two decided states, 0 accepts nothing
    return t.all(
      t.ite(this.decided(state), alive, accepting),
      t.ule(this.setting("leastSize", 4), length),
      t.ule(length, this.setting("mostSize", 4)),
    );
  }

  /** The walk a byte on. */
  private after(walk: Walk): Walk {
    return { ...walk, index: this.t.add(walk.index, this.number(1)), state: this.next(walk) };
  }

  /** The state a byte on: 16 bits. */
  next(walk: Walk): Term {
    const { t } = this;
    const row = t.shl(this.wide(this.tableByte(TABLE.classes, this.byteAt(walk))), 1);
    const at = t.add(row, t.shl(this.wide(walk.state), 1));
    return t.apply("table16", t.add(at, this.number(TABLE.rows + TABLE.next)), 16);
  }

  decided(state: Term): Term {
    return this.t.ult(this.wide(state), this.decidedBelow);
  }

  /** Whether a state is the first entry of a row: what `checkMaps` finds of the table, it finds of these. */
  isRow(state: Term): Term {
    return this.t.apply("row", state, 1);
  }

  /** The walk begins in a row, and from each row every byte leads to one. */
  rowLaw(walk: Walk): Term {
    const { t } = this;
    const follows = t.implies(this.isRow(walk.state), this.isRow(this.next(walk)));
    return t.and(this.isRow(this.first), follows);
  }

  /** From a decided state no byte leads away. */
  decidedLaw(walk: Walk): Term {
    const { t } = this;
    const isDecided = t.and(this.isRow(walk.state), this.decided(walk.state));
    return t.implies(isDecided, this.decided(this.next(walk)));
  }

  /** Nor from any state bytes whose kinds are not among its restless ones, however many in a row. */
  calmLaw(walk: Walk): Term {
    const { t } = this;
    const restless = this.restless(walk.state);
    let [at, calm] = [walk, this.isRow(walk.state)];
    for (let i = 0; i < UNIT; i++) {
      const kind = t.zext(this.tableByte(TABLE.kinds, this.byteAt(at)), 16);
      calm = t.and(calm, t.eq(t.and(kind, restless), t.constant(0, 16)));
      at = this.after(at);
    }
    const stays = t.and(t.eq(at.state, walk.state), t.eq(this.restless(at.state), restless));
    return t.implies(calm, stays);
  }

  /** `checkMaps` once more: a walk ends. */
  walkLaw(): Term {
    return this.t.ule(this.walkBytes, this.number(WALK_LIMIT));
  }

  /** The kinds of bytes under which a state is restless, as 16 bits. */
  restless(state: Term): Term {
    const { t } = this;
    const at = t.add(t.shl(this.wide(state), 1), this.number(TABLE.rows));
    return t.apply("table16", at, 16);
  }

  /** The byte with the TCP flags, as 64 bits. */
  flagByte(): Term {
    return this.wide(this.byte(47));
  }

  number(value: number): Term {
    return this.t.constant(value, 64);
  }

  private tableByte(base: number, byte: Term): Term {
    return this.t.apply("table8", this.t.add(this.wide(byte), this.number(base)), 8);
  }

  private byteAt({ start, index }: Walk): Term {
    return this.t.apply("frame", this.t.add(start, index), 8);
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
    return this.t.apply("frame", this.number(at), 8);
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

  /** Whether a frame of `length` bytes keeps the link rules, whatever its payload is. */
  private linkRules(length: Term, start: Term): Term {
    const { t } = this;
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
}
