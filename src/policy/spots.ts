/** Where the values of a document stand in its text: parsers tell what they are, not where. */

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

/**
 * Reads a string of TOML 1.0 (any of the four kinds) or of JSON, which a parser has found valid:
 * it takes the escapes of both, and what is no escape it takes as it stands.
 * @param start where the opening quote is.
 * @throws Unfinished.
 */
export function readQuoted(text: string, start: number): Quoted {
  const quote = text[start];
  const marks = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  let at = start + marks.length;
  // A line break right behind three quotes is not part of the string.
  if (marks.length === 3) at += /^\r?\n/.exec(text.slice(at, at + 2))?.[0].length ?? 0;
  let value = "";
  const offsets: number[] = [];
  const push = (piece: string) => {
    for (let i = 0; i < piece.length; i++) offsets.push(at);
    value += piece;
  };
  while (at < text.length) {
    if (text.startsWith(marks, at)) {
      // Of four or five quotes the first ones are the string's.
      for (let more = 0; marks.length === 3 && more < 2 && text[at + 3] === quote; more++) {
        push(quote);
        at++;
      }
      offsets.push(at);
      return { value, offsets, end: at + marks.length };
    }
    ESCAPE.lastIndex = at;
    const escape = quote === '"' && text[at] === "\\" ? ESCAPE.exec(text) : null;
    if (escape === null) {
      push(text[at]);
      at++;
      continue;
    }
    const [whole, two, four, eight, short] = escape;
    const digits = two ?? four ?? eight;
    const point = digits === undefined ? -1 : parseInt(digits, 16);
    if (point > 0x10ffff) push(whole);
    else if (point >= 0) push(String.fromCodePoint(point));
    else if (short !== undefined) push(SHORT[short] ?? short);
    at += whole.length;
  }
  throw new Unfinished();
}
