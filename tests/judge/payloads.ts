/**
 * Payloads on both sides of every limit that a predicate has: lengths n - 1, n and n + 1, words
 * that end just before a bound or just behind, characters cut at both ends, brackets one too many.
 */
import type { ByteRange, Predicate } from "../../src/policy/predicate.ts";
import type { Random } from "./random.ts";
import { CHARACTERS, type SomeRegex, textLike } from "./random_regex.ts";

/** What predicates are looked through for. */
interface Limits {
  /** Numbers of bytes. */
  lengths: number[];
  literals: Uint8Array[];
  ranges: (readonly ByteRange[])[];
  /** Levels of brackets. */
  depths: number[];
  regexes: SomeRegex[];
  /** What the predicate looks at, more often than the rest. */
  styles: Style[];
}

/** How a payload is made. */
type Style = "bytes" | "listed" | "utf8" | "json" | "words" | "regex";

const encoder = new TextEncoder();
const UTF8 = [...CHARACTERS].map((character) => encoder.encode(character));
const BROKEN = [[0xc0], [0xe0, 0x80], [0xed, 0xa0], [0xf4, 0x90], [0xff], [0x80], [0xe2, 0x82]]
  .map((bytes) => Uint8Array.from(bytes));
const JSON_VALUES = ['"[{"', '"\\"["', '"\\\\"', '"]"', ":", ",", "1", "true", "\n"]
  .map((text) => encoder.encode(text));
const JSON_SCRAPS = ['"', "\\", '\\"', "\\\\", '"[{"', "'", "a", "/*"]
  .map((text) => encoder.encode(text));
const PRINTABLE: readonly ByteRange[] = [{ first: 0x20, last: 0x7e }];

/** Of a long payload so many bytes are made, and the rest repeats them: it is quicker. */
const FRESH = 61;

/** What a generator makes at most, in bytes. */
export const MOST_PAYLOAD = 2048;

/** Generates payloads near one predicate, into a buffer that it is given. */
export class Payloads {
  private readonly limits: Limits = {
    lengths: [1, 2, 4, 8],
    literals: [],
    ranges: [],
    depths: [],
    regexes: [],
    styles: ["bytes", "listed", "utf8", "json"],
  };
  private into: Uint8Array = new Uint8Array();
  private length = 0;

  /** @param longest bytes of a payload; a frame's 1460 are reached now and then where it allows. */
  constructor(
    private readonly random: Random,
    predicate: Predicate,
    private readonly longest = MOST_PAYLOAD,
  ) {
    collect(predicate, this.limits);
    if (this.limits.ranges.length === 0) this.limits.ranges.push(PRINTABLE);
    if (this.limits.depths.length === 0) this.limits.depths.push(2);
  }

  /** @returns the number of bytes that were written, from the buffer's first on. */
  fill(into: Uint8Array): number {
    this.into = into;
    this.length = 0;
    const { random, limits } = this;
    if (random.once(64)) return 0;
    const target = Math.min(this.target(), this.longest, into.length);
    switch (random.pick(limits.styles)) {
      case "bytes":
        while (this.length < target && this.length < FRESH) this.byte(random.below(256));
        this.stretch(target);
        break;
      case "listed":
        this.listed(target, random.pick(limits.ranges));
        break;
      case "utf8":
        this.characters(target);
        break;
      case "json":
        this.json(target);
        break;
      case "words":
        this.words(target);
        break;
      case "regex":
        this.put(encoder.encode(textLike(random, random.pick(limits.regexes))));
        if (random.once(3)) this.characters(this.length + random.below(6));
    }
    if (random.once(6)) this.cutFront();
    if (random.once(6)) this.length -= Math.min(this.length, random.below(4));
    if (random.once(8) && this.length > 0) this.into[this.near()] = random.below(256);
    return this.length;
  }

  /** A length: mostly one byte less than a limit, just as many, or one more. */
  private target(): number {
    const { random, limits } = this;
    const kind = random.below(16);
    if (kind === 0) return random.below(64);
    if (kind === 1 && random.once(8)) return random.pick([1459, 1460, 1461]);
    return Math.max(0, random.pick(limits.lengths) + random.below(3) - 1);
  }

  /** A place in the payload: mostly at a limit. */
  private near(): number {
    const { random, limits } = this;
    const at = random.once(3)
      ? random.below(this.length)
      : random.pick(limits.lengths) + random.below(3) - 1;
    return Math.max(0, Math.min(this.length - 1, at));
  }

  /** @returns whether there are fewer bytes than that, and room for more. */
  private shorter(than: number): boolean {
    return this.length < than && this.length < this.into.length;
  }

  private byte(value: number): void {
    if (this.length < this.into.length) this.into[this.length++] = value;
  }

  private put(bytes: Uint8Array, count = bytes.length): void {
    for (let i = 0; i < count; i++) this.byte(bytes[i]);
  }

  /** Repeats what there is up to the target. */
  private stretch(target: number): void {
    const end = Math.min(target, this.into.length);
    while (this.length > 0 && this.length < end) {
      const count = Math.min(this.length, end - this.length);
      this.into.copyWithin(this.length, 0, count);
      this.length += count;
    }
  }

  /** Bytes of a list, first and last ones often, and perhaps one just beside it near a limit. */
  private listed(target: number, ranges: readonly ByteRange[]): void {
    const { random } = this;
    while (this.length < target && this.length < FRESH) {
      const { first, last } = ranges[random.below(ranges.length)];
      const kind = random.below(8);
      this.byte(kind === 0 ? first : kind === 1 ? last : first + random.below(last - first + 1));
    }
    this.stretch(target);
    if (random.once(2) && this.length > 0) {
      const { first, last } = random.pick(ranges);
      this.into[this.near()] = random.once(2) ? first - 1 : last + 1;
    }
  }

  /** Characters, in every second payload with some that are broken. */
  private characters(target: number): void {
    const { random } = this;
    const broken = random.once(2) ? 6 : 0;
    while (this.shorter(target)) {
      this.put(broken > 0 && random.once(broken) ? random.pick(BROKEN) : random.pick(UTF8));
    }
  }

  /** Brackets to about the depth that is allowed, strings and escapes with brackets in them. */
  private json(target: number): void {
    const { random } = this;
    const depth = Math.max(0, random.pick(this.limits.depths) + random.below(4) - 1);
    const untidy = random.once(3);
    let level = 0;
    while (this.shorter(target + depth)) {
      const kind = random.below(6);
      if (kind < 3 && level < depth) {
        this.byte(random.once(2) ? 0x5b : 0x7b);
        level++;
      } else if (kind === 3 && (level > 0 || untidy)) {
        this.byte(random.once(2) ? 0x5d : 0x7d);
        level = Math.max(0, level - 1);
      } else this.put(random.pick(untidy ? JSON_SCRAPS : JSON_VALUES));
    }
  }

  /** Filling, and a literal, whole or broken off, that ends or begins at a limit. */
  private words(target: number): void {
    const { random, limits } = this;
    const literal = random.pick(limits.literals);
    const filling = random.once(2) ? 0x20 + random.below(95) : -1;
    while (this.shorter(Math.min(target + literal.length, FRESH))) {
      this.byte(filling >= 0 && !random.once(9) ? filling : literal[random.below(literal.length)]);
    }
    this.stretch(target + literal.length);
    for (let more = random.below(3); more >= 0; more--) {
      const limit = random.once(3) ? 0 : random.pick(limits.lengths);
      let at = limit + random.below(3) - 1 - (random.once(2) ? literal.length : 0);
      if (random.once(4)) at = random.below(this.length);
      const count = random.once(4) ? random.below(literal.length) : literal.length;
      for (let i = 0; i < count; i++) {
        if (at + i >= 0 && at + i < this.length) this.into[at + i] = literal[i];
      }
    }
    if (random.once(2)) this.length = Math.min(this.length, target);
  }

  private cutFront(): void {
    const cut = Math.min(this.length, 1 + this.random.below(3));
    this.into.copyWithin(0, cut, this.length);
    this.length -= cut;
  }
}

function collect(predicate: Predicate, limits: Limits): void {
  const bound = (bytes: number | null) => {
    if (bytes !== null) limits.lengths.push(bytes);
  };
  const stress = (style: Style) => limits.styles.push(style, style, style, style);
  switch (predicate.kind) {
    case "contains":
      limits.literals.push(predicate.literal);
      stress("words");
      bound(predicate.within);
      break;
    case "starts-with":
      limits.literals.push(...predicate.literals);
      stress("words");
      break;
    case "size":
      bound(predicate.bound);
      break;
    case "json-depth":
      limits.depths.push(predicate.bound);
      limits.lengths.push(8, 16);
      stress("json");
      break;
    case "printable":
      limits.ranges.push(PRINTABLE);
      bound(predicate.within ?? 12);
      stress("listed");
      break;
    case "all-in":
      limits.ranges.push(predicate.ranges);
      bound(predicate.within ?? 12);
      stress("listed");
      break;
    case "utf8":
      limits.lengths.push(4, 7, 12);
      stress("utf8");
      break;
    case "matches":
      limits.regexes.push(predicate);
      stress("regex");
      break;
    case "not":
      collect(predicate.operand, limits);
      break;
    case "and":
    case "or":
      collect(predicate.left, limits);
      collect(predicate.right, limits);
  }
}
