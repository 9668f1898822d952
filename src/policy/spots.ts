/** Where the values of a document stand in its text: parsers tell what they are, not where. */
import type { Source } from "./source.ts";

/** The place of a value. Offsets are in UTF-16 code units from the text's beginning. */
export interface Spot {
  /** Where its key begins; of a list's item, where the item does. */
  readonly key: number;
  /** Where the value itself begins. */
  readonly at: number;
  /** Of a table. */
  readonly keys: Map<string, Spot>;
  /** Of a list. */
  readonly items: Spot[];
}

/** @returns the place of a value that has no parts, or whose parts are not known yet. */
export function spot(key: number, at: number): Spot {
  return { key, at, keys: new Map(), items: [] };
}

/**
 * @param where the place of a string.
 * @param text what a parser says that it is.
 * @returns the text, each of its characters with its place in the file. Escapes make the two
 * differ; where they cannot be followed every place is the string's own.
 */
export function quotedSource(file: Source, where: Spot | undefined, text: string): Source {
  const at = where?.at ?? 0;
  const offsets = offsetsOf(file.text, at, text);
  return { text, path: file.path, place: (offset) => file.place(offsets?.[offset] ?? at) };
}

function offsetsOf(text: string, at: number, value: string): readonly number[] | null {
  if (text[at] !== '"' && text[at] !== "'") return null;
  try {
    const quoted = readQuoted(text, at);
    return quoted.value === value ? quoted.offsets : null;
  } catch (error) {
    if (error instanceof Unfinished) return null;
    throw error;
  }
}

/** Thrown by `readQuoted` where no string ends. */
export class Unfinished extends Error {
  override name = "Unfinished";
}

const ESCAPE =
  /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([btnfre"\\/])|([ \t]*\r?\n[ \t\r\n]*))/y;

const SHORT: Record<string, string> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", e: "\x1b" };

/** A string as it is written. */
export interface Quoted {
  readonly value: string;
  /** Of each code unit of `value`, and of its end, the offset in the text. */
  readonly offsets: readonly number[];
  /** Behind the closing quotes. */
  readonly end: number;
}

/** Neither quotes nor backslashes. */
const PLAIN = /[^"'\\]+/y;

/**
 * Reads a string of TOML 1.0 (any of the four kinds) or of JSON, which a parser has found valid:
 * it takes the escapes of both, and what is no escape it takes as it stands.
 * @param start where the opening quote is.
 * @throws Unfinished.
 */
export function readQuoted(text: string, start: number): Quoted {
  const quote = text[start];
  const long = text[start + 1] === quote && text[start + 2] === quote;
  const width = long ? 3 : 1;
  let at = start + width;
  // A line break right behind three quotes is not part of the string.
  if (long) at += text[at] === "\n" ? 1 : text[at] === "\r" && text[at + 1] === "\n" ? 2 : 0;
  let value = "";
  const offsets: number[] = [];
  while (at < text.length) {
    if (text[at] === quote && (!long || text[at + 1] === quote && text[at + 2] === quote)) {
      // Of four or five quotes the first ones are the string's.
      for (let more = 0; long && more < 2 && text[at + 3] === quote; more++) {
        value += quote;
        offsets.push(at++);
      }
      offsets.push(at);
      return { value, offsets, end: at + width };
    }
    const escape = quote === '"' && text[at] === "\\" ? escapeAt(text, at) : null;
    if (escape !== null) {
      for (let i = 0; i < escape.meaning.length; i++) offsets.push(at);
      value += escape.meaning;
      at += escape.length;
      continue;
    }
    PLAIN.lastIndex = at;
    const plain = PLAIN.exec(text)?.[0] ?? text[at];
    for (let i = 0; i < plain.length; i++) offsets.push(at + i);
    value += plain;
    at += plain.length;
  }
  throw new Unfinished();
}

/** @returns what the escape means and how long it is; null: it is none. */
function escapeAt(text: string, at: number): { meaning: string; length: number } | null {
  ESCAPE.lastIndex = at;
  const found = ESCAPE.exec(text);
  if (found === null) return null;
  const [whole, two, four, eight, short] = found;
  const digits = two ?? four ?? eight;
  if (digits === undefined) return { meaning: SHORT[short] ?? short ?? "", length: whole.length };
  const point = parseInt(digits, 16);
  return point > 0x10ffff ? null : { meaning: String.fromCodePoint(point), length: whole.length };
}
