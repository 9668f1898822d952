/**
 * The rule that the content is one JSON text (RFC 8259), nested no deeper than a limit: a pushdown
 * automaton, since brackets that match are no regular language. It breaks at the first byte after
 * which no continuation is JSON.
 */

const enum Wants {
  value,
  /** A value, or the array's end. */
  item,
  /** A name, or the object's end. */
  member,
  name,
  colon,
  /** A comma or the bracket's end; at the top, the end of the content. */
  after,
  text,
  escape,
  hex,
  literal,
  minus,
  zero,
  digits,
  point,
  fraction,
  exponent,
  sign,
  power,
}

const LITERALS: Record<number, string> = { 0x74: "rue", 0x66: "alse", 0x6e: "ull" };
const ESCAPED = new Set([...'"\\/bfnrt'].map((character) => character.charCodeAt(0)));
const MAY_END = new Set([Wants.zero, Wants.digits, Wants.fraction, Wants.power]);

export class JsonRun {
  private wants: Wants = Wants.value;
  /** Of each bracket that is open whether it is an object's. */
  private readonly open: boolean[] = [];
  /** Whether the text under way is a member's name. */
  private naming = false;
  /** What is left of a literal, and of an escape's four hexadecimal digits. */
  private rest = "";
  private hexLeft = 0;

  /** @param maxDepth brackets within brackets; 0: a value without any. */
  constructor(readonly rule: number, private readonly maxDepth: number) {}

  /** @returns the index of the first byte below `end` that breaks the rule, or -1. */
  read(bytes: Uint8Array, end: number): number {
    for (let at = 0; at < end; at++) if (!this.take(bytes[at])) return at;
    return -1;
  }

  /** Goes on as another run of the rule would. */
  copy({ wants, open, naming, rest, hexLeft }: JsonRun): void {
    this.wants = wants;
    this.naming = naming;
    this.rest = rest;
    this.hexLeft = hexLeft;
    this.open.length = open.length;
    for (let i = 0; i < open.length; i++) this.open[i] = open[i];
  }

  /** @returns whether a run goes on like a copy of it that was taken one byte ago. */
  sameAs({ wants, open, rest, hexLeft }: JsonRun): boolean {
    return this.wants === wants && this.open.length === open.length && this.rest === rest &&
      this.hexLeft === hexLeft;
  }

  /** What decides what may follow: equal texts, equal futures. */
  get state(): string {
    const { wants, open, naming, rest, hexLeft } = this;
    const inside = wants === Wants.text || wants === Wants.escape || wants === Wants.hex;
    let state = `${wants} ${wants === Wants.literal ? rest : wants === Wants.hex ? hexLeft : ""}`;
    state += inside && naming ? "!" : "";
    for (const object of open) state += object ? "{" : "[";
    return state;
  }

  /** @returns whether the content may end here. */
  complete(): boolean {
    if (this.open.length > 0) return false;
    return this.wants === Wants.after || MAY_END.has(this.wants);
  }

  private take(byte: number): boolean {
    switch (this.wants) {
      case Wants.text:
        return this.inText(byte);
      case Wants.escape:
        if (byte === 0x75) {
          this.hexLeft = 4;
          this.wants = Wants.hex;
          return true;
        }
        this.wants = Wants.text;
        return ESCAPED.has(byte);
      case Wants.hex:
        if (--this.hexLeft === 0) this.wants = Wants.text;
        return isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
      case Wants.literal: {
        const fits = byte === this.rest.charCodeAt(0);
        this.rest = this.rest.slice(1);
        if (this.rest === "") this.wants = Wants.after;
        return fits;
      }
      default:
        return this.inNumber(byte) ?? this.between(byte);
    }
  }

  private inText(byte: number): boolean {
    if (byte === 0x5c) this.wants = Wants.escape;
    else if (byte === 0x22) this.wants = this.naming ? Wants.colon : Wants.after;
    return byte >= 0x20;
  }

  /** @returns null if the byte is not the number's: it ended before. */
  private inNumber(byte: number): boolean | null {
    const go = (wants: Wants) => {
      this.wants = wants;
      return true;
    };
    const digit = isDigit(byte);
    switch (this.wants) {
      case Wants.minus:
        return digit && go(byte === 0x30 ? Wants.zero : Wants.digits);
      case Wants.point:
        return digit && go(Wants.fraction);
      case Wants.exponent:
        if (byte === 0x2b || byte === 0x2d) return go(Wants.sign);
        return digit && go(Wants.power);
      case Wants.sign:
        return digit && go(Wants.power);
      case Wants.zero:
      case Wants.digits:
      case Wants.fraction:
      case Wants.power:
        if (digit && this.wants !== Wants.zero) return true;
        if (byte === 0x2e && (this.wants === Wants.zero || this.wants === Wants.digits)) {
          return go(Wants.point);
        }
        if ((byte | 0x20) === 0x65 && this.wants !== Wants.power) return go(Wants.exponent);
        this.wants = Wants.after;
        return null;
    }
    return null;
  }

  private between(byte: number): boolean {
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) return true;
    switch (this.wants) {
      case Wants.item:
        return byte === 0x5d ? this.close(false) : this.value(byte);
      case Wants.value:
        return this.value(byte);
      case Wants.member:
        return byte === 0x7d ? this.close(true) : this.name(byte);
      case Wants.name:
        return this.name(byte);
      case Wants.colon:
        this.wants = Wants.value;
        return byte === 0x3a;
      case Wants.after: {
        const object = this.open.at(-1);
        if (object === undefined) return false;
        if (byte === 0x2c) {
          this.wants = object ? Wants.name : Wants.value;
          return true;
        }
        return byte === (object ? 0x7d : 0x5d) && this.close(object);
      }
    }
    return false;
  }

  private name(byte: number): boolean {
    this.naming = true;
    this.wants = Wants.text;
    return byte === 0x22;
  }

  private value(byte: number): boolean {
    if (byte === 0x7b || byte === 0x5b) {
      if (this.open.length === this.maxDepth) return false;
      const object = byte === 0x7b;
      this.open.push(object);
      this.wants = object ? Wants.member : Wants.item;
    } else if (byte === 0x22) {
      this.naming = false;
      this.wants = Wants.text;
    } else if (byte === 0x2d) {
      this.wants = Wants.minus;
    } else if (isDigit(byte)) {
      this.wants = byte === 0x30 ? Wants.zero : Wants.digits;
    } else if (byte in LITERALS) {
      this.rest = LITERALS[byte];
      this.wants = Wants.literal;
    } else {
      return false;
    }
    return true;
  }

  private close(object: boolean): boolean {
    const was = this.open.pop();
    this.wants = Wants.after;
    return was === object;
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
