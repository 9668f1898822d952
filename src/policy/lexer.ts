/** Predicate text → tokens. */
import { invalidAt, type Source } from "./source.ts";

/** A piece of predicate text; `offset` is its first character's, `text` as it was written. */
export type Token =
  & { readonly offset: number; readonly text: string }
  & (
    | { readonly kind: "word" | "symbol" | "end" }
    | { readonly kind: "number"; readonly value: number }
    | { readonly kind: "string"; readonly value: Uint8Array }
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
    const word = take(/[A-Za-z_][A-Za-z_0-9]*/y);
    const number = take(/[0-9]+/y);
    const symbol = take(/<=|>=|==|[<>()[\],]/y);
    if (word !== undefined) tokens.push({ kind: "word", offset, text: word });
    else if (number !== undefined) {
      tokens.push({ kind: "number", offset, text: number, value: Number(number) });
    } else if (symbol !== undefined) tokens.push({ kind: "symbol", offset, text: symbol });
    else if (text[at] === '"') tokens.push(string(source, at));
    else throw unexpected(source, at);
    at = offset + tokens[tokens.length - 1].text.length;
  }
  tokens.push({ kind: "end", offset: text.length, text: "" });
  return tokens;
}

/** Reads the string that begins at `start`; its bytes are UTF-8, or those that `\xHH` names. */
function string(source: Source, start: number): Token {
  const { text } = source;
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  let at = start + 1;
  while (at < text.length && text[at] !== '"' && text[at] !== "\n") {
    if (text[at] !== "\\") {
      const character = String.fromCodePoint(text.codePointAt(at)!);
      if (/\p{Surrogate}/u.test(character)) {
        throw invalidAt(source, at, "half a surrogate pair", "write the character whole, or \\xHH");
      }
      bytes.push(...encoder.encode(character));
      at += character.length;
      continue;
    }
    const escape = text[at + 1] ?? "";
    const digits = /^x([0-9a-fA-F]{2})/.exec(text.slice(at + 1, at + 4));
    if (digits) bytes.push(parseInt(digits[1], 16));
    else if (Object.hasOwn(ESCAPES, escape)) bytes.push(ESCAPES[escape]);
    else {
      throw invalidAt(
        source,
        at,
        `unknown escape ${JSON.stringify("\\" + escape)} in a string`,
        'escapes are \\" \\\\ \\n \\r \\t and \\xHH (one byte in hex)',
      );
    }
    at += digits ? 4 : 2;
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

function unexpected(source: Source, at: number) {
  const character = String.fromCodePoint(source.text.codePointAt(at)!);
  const hints: Record<string, string> = {
    "'": 'put strings in double quotes: "…"',
    "!": "write not",
    "&": "write and",
    "|": "write or",
    "=": "equality is ==",
    "-": "numbers are whole and not negative",
  };
  return invalidAt(
    source,
    at,
    `unexpected ${JSON.stringify(character)}`,
    hints[character] ?? 'words, numbers, "strings", < <= > >= == ( ) [ ] and commas are understood',
  );
}
