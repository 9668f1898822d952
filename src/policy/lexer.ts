/** Predicate text → tokens. */
import { invalidAt, type Source } from "./source.ts";

/** A piece of predicate text; `offset` is its first character's, `text` as it was written. */
export type Token =
  & { readonly offset: number; readonly text: string }
  & (
    | { readonly kind: "word" | "symbol" | "end" }
    | { readonly kind: "number"; readonly value: number }
    | { readonly kind: "string"; readonly value: Uint8Array }
    /** `/source/flags`, not yet looked into. */
    | { readonly kind: "regex"; readonly source: string; readonly flags: string }
  );

const ESCAPES: Record<string, number> = {
  '"': 0x22,
  "\\": 0x5c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
};

/**
 * @returns the tokens of the source, the last one of kind `end`.
 * @throws VeiError `diode-invalid` for a character or string that belongs to no token.
 */
export function tokenise(source: Source): Token[] {
  const { text } = source;
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    const offset = at;
    const space = take(/\s+/y);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    // No word has a hyphen, but who writes utf-8 is to be told of utf8.
    const word = take(/[A-Za-z_][A-Za-z_0-9]*(?:-[A-Za-z_0-9]+)*/y);
    const number = take(/0x[0-9a-fA-F]+|[0-9]+/y);
    const symbol = take(/<=|>=|==|\.\.|[<>()[\],]/y);
    if (word !== undefined) tokens.push({ kind: "word", offset, text: word });
    else if (number !== undefined) {
      const glued = take(/[0-9a-zA-Z_]+/y)!;
      if (glued !== number) {
        throw invalidAt(source, at, `${glued} is no number`, "numbers are like 512 or 0x7e");
      }
      tokens.push({ kind: "number", offset, text: number, value: Number(number) });
    } else if (symbol !== undefined) tokens.push({ kind: "symbol", offset, text: symbol });
    else if (text[at] === '"') tokens.push(string(source, at));
    else if (text[at] === "/") tokens.push(regex(source, at));
    else throw unexpected(source, at);
    at = offset + tokens[tokens.length - 1].text.length;
  }
  tokens.push({ kind: "end", offset: text.length, text: "" });
  return tokens;
}

/** Reads the string that begins at `start`; its bytes are UTF-8, or those that `\xHH` names. */
function string(source: Source, start: number): Token {
  const { text } = source;
  const bytes: number[] = [];
  let at = start + 1;
  while (at < text.length && text[at] !== '"' && text[at] !== "\n") {
    if (text[at] !== "\\") {
      const character = wholeCharacter(source, at);
      bytes.push(...new TextEncoder().encode(character));
      at += character.length;
      continue;
    }
    const escape = readEscape(text.slice(at + 1, at + 12));
    if (escape === null) {
      throw invalidAt(
        source,
        at,
        `unknown escape ${JSON.stringify("\\" + (text[at + 1] ?? ""))} in a string`,
        'escapes are \\" \\\\ \\n \\r \\t, \\xHH (one byte in hex), \\u{H…} (one character in hex)',
      );
    }
    bytes.push(...escape.bytes);
    at += 1 + escape.length;
  }
  if (text[at] !== '"') {
    throw invalidAt(source, start, "a string that does not end", 'close it with "');
  }
  return {
    kind: "string",
    offset: start,
    text: text.slice(start, at + 1),
    value: Uint8Array.from(bytes),
  };
}

/** @returns what the text after a backslash stands for, and how much of it that is, or null. */
function readEscape(text: string): { bytes: Iterable<number>; length: number } | null {
  if (Object.hasOwn(ESCAPES, text[0] ?? "")) return { bytes: [ESCAPES[text[0]]], length: 1 };
  const byte = /^x([0-9a-fA-F]{2})/.exec(text);
  if (byte) return { bytes: [parseInt(byte[1], 16)], length: byte[0].length };
  const character = /^u\{([0-9a-fA-F]{1,6})\}/.exec(text);
  const point = parseInt(character?.[1] ?? "", 16);
  if (!character || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
  const bytes = new TextEncoder().encode(String.fromCodePoint(point));
  return { bytes, length: character[0].length };
}

/** Finds the end of the regular expression that begins at `start`, as JavaScript would. */
function regex(source: Source, start: number): Token {
  const { text } = source;
  let inClass = false;
  let at = start + 1;
  while (at < text.length && (inClass || text[at] !== "/")) {
    if (/[\n\r\u2028\u2029]/.test(text[at])) break;
    if (text[at] === "[") inClass = true;
    else if (text[at] === "]") inClass = false;
    else if (text[at] === "\\" && !/[\n\r\u2028\u2029]/.test(text[at + 1] ?? "\n")) at++;
    at += wholeCharacter(source, at).length;
  }
  if (text[at] !== "/") {
    const hint = inClass ? "close the class with ] and the expression with /" : "close it with /";
    throw invalidAt(source, start, "a regular expression that does not end", hint);
  }
  const body = text.slice(start + 1, at);
  if (body === "") {
    throw invalidAt(source, start, "an empty regular expression", "it would match every payload");
  }
  const flags = /^[A-Za-z_0-9]*/.exec(text.slice(at + 1))![0];
  const end = at + 1 + flags.length;
  return {
    kind: "regex",
    offset: start,
    text: text.slice(start, end),
    source: body,
    flags,
  };
}

function wholeCharacter(source: Source, at: number): string {
  const character = String.fromCodePoint(source.text.codePointAt(at)!);
  if (!/\p{Surrogate}/u.test(character)) return character;
  throw invalidAt(source, at, "half a surrogate pair", "write the character whole, or \\xHH");
}

function unexpected(source: Source, at: number) {
  const character = String.fromCodePoint(source.text.codePointAt(at)!);
  const hints: Record<string, string> = {
    "'": 'put strings in double quotes: "…"',
    "!": "write not",
    "&": "write and",
    "|": "write or",
    "=": "equality is ==",
    "-": "numbers are whole and not negative; a range is written 0x20..0x7e",
    ".": "a range is written 0x20..0x7e, with two dots",
  };
  return invalidAt(
    source,
    at,
    `unexpected ${JSON.stringify(character)}`,
    hints[character] ??
      'words, numbers, "strings", /expressions/, < <= > >= == ( ) [ ] .. and commas are understood',
  );
}
