/**
 * The predicate language's meaning, evaluated directly on a byte array: `diodes/README.md` sentence
 * by sentence. Shares only the syntax tree's type with what it judges. Of byte loops and without an
 * object for each payload, so that millions can be judged; only `matches` makes a string.
 */
import type { ByteRange, Comparison, Predicate } from "../../src/policy/predicate.ts";

/** @returns whether the payload is one that the predicate accepts. */
export function accepts(predicate: Predicate, payload: Uint8Array): boolean {
  switch (predicate.kind) {
    case "contains":
      return contains(payload, predicate.literal, within(payload, predicate.within));
    case "size":
      return compare(payload.length, predicate.comparison, predicate.bound);
    case "json-depth":
      return compare(jsonDepth(payload), predicate.comparison, predicate.bound);
    case "starts-with":
      return predicate.literals.some((literal) => isAt(payload, literal, 0));
    case "printable":
      return allIn(payload, PRINTABLE, within(payload, predicate.within));
    case "all-in":
      return allIn(payload, predicate.ranges, within(payload, predicate.within));
    case "utf8":
      return isUtf8Piece(payload);
    case "anything":
      return true;
    case "nothing":
      return false;
    case "matches":
      return searcher(predicate.source, predicate.flags)(payload);
    case "not":
      return !accepts(predicate.operand, payload);
    case "and":
      return accepts(predicate.left, payload) && accepts(predicate.right, payload);
    case "or":
      return accepts(predicate.left, payload) || accepts(predicate.right, payload);
  }
}

/** Space to tilde. */
const PRINTABLE: readonly ByteRange[] = [{ first: 0x20, last: 0x7e }];

/** "within its first N bytes; in all of a payload that is shorter than N" */
function within(payload: Uint8Array, bytes: number | null): number {
  return bytes === null || bytes > payload.length ? payload.length : bytes;
}

function compare(found: number, comparison: Comparison, bound: number): boolean {
  switch (comparison) {
    case "<":
      return found < bound;
    case "<=":
      return found <= bound;
    case ">":
      return found > bound;
    case ">=":
      return found >= bound;
    case "==":
      return found === bound;
  }
}

/** Whether the literal stands at `at`, all of it. */
function isAt(payload: Uint8Array, literal: Uint8Array, at: number): boolean {
  if (at + literal.length > payload.length) return false;
  for (let i = 0; i < literal.length; i++) if (payload[at + i] !== literal[i]) return false;
  return true;
}

/** Whether the literal occurs, from its first to its last byte, within the first `length` bytes. */
function contains(payload: Uint8Array, literal: Uint8Array, length: number): boolean {
  for (let at = 0; at + literal.length <= length; at++) if (isAt(payload, literal, at)) return true;
  return false;
}

function allIn(payload: Uint8Array, ranges: readonly ByteRange[], length: number): boolean {
  for (let i = 0; i < length; i++) {
    let listed = false;
    for (const { first, last } of ranges) listed ||= payload[i] >= first && payload[i] <= last;
    if (!listed) return false;
  }
  return true;
}

/** The highest level of brackets that is reached. */
function jsonDepth(payload: Uint8Array): number {
  let [level, highest, inString] = [0, 0, false];
  for (let i = 0; i < payload.length; i++) {
    switch (payload[i]) {
      case 0x22: // "
        inString = !inString;
        break;
      case 0x5c: // \
        if (inString) i++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (!inString) highest = Math.max(highest, ++level);
        break;
      case 0x5d: // ]
      case 0x7d: // }
        if (!inString && level > 0) level--;
    }
  }
  return highest;
}

/** Bytes of a character that begins with `lead` (RFC 3629, section 4); 0: none does. */
function characterLength(lead: number): number {
  if (lead <= 0x7f) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/** Whether `byte` may be a character's second one: neither overlong, surrogate, nor too large. */
function maySecond(lead: number, byte: number): boolean {
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return byte >= least && byte <= most;
}

/** At most three bytes 80 to BF, whole characters, at most one that is not finished but can be. */
function isUtf8Piece(payload: Uint8Array): boolean {
  let at = 0;
  while (at < 3 && payload[at] >= 0x80 && payload[at] <= 0xbf) at++;
  while (at < payload.length) {
    const lead = payload[at];
    const length = characterLength(lead);
    if (length === 0) return false;
    for (let i = 1; i < length && at + i < payload.length; i++) {
      const byte = payload[at + i];
      if (i === 1 ? !maySecond(lead, byte) : byte < 0x80 || byte > 0xbf) return false;
    }
    at += length;
  }
  return true;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const searchers = new Map<string, (payload: Uint8Array) => boolean>();

/**
 * The decoded payload, searched by JavaScript's own engine. With flag `u` V8 finds `\B` between the
 * two halves of a character, where by ECMA-262 there is no place: there each place is asked alone.
 */
function searcher(source: string, flags: string): (payload: Uint8Array) => boolean {
  const key = `/${source}/${flags}`;
  const known = searchers.get(key);
  if (known) return known;
  if (searchers.size > 1000) searchers.clear();
  const found = flags.includes("u") && source.includes("\\B")
    ? everyPlace(new RegExp(source, `${flags}y`))
    : everywhere(new RegExp(source, flags));
  searchers.set(key, found);
  return found;
}

function everywhere(regex: RegExp): (payload: Uint8Array) => boolean {
  return (payload) => regex.test(decoder.decode(payload));
}

function everyPlace(sticky: RegExp): (payload: Uint8Array) => boolean {
  return (payload) => {
    const text = decoder.decode(payload);
    for (let at = 0; at <= text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) {
      sticky.lastIndex = at;
      if (sticky.test(text)) return true;
    }
    return false;
  };
}
