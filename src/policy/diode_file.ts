/** A diode's file: a few lines of TOML, one of them the predicate. */
import { parse, TomlError } from "smol-toml";
import { didYouMean } from "./nearest.ts";
import { parsePredicate } from "./parse.ts";
import type { Predicate } from "./predicate.ts";
import { invalidAt, placeIn, type Source, wholeFile } from "./source.ts";

/** What a diode's file says. */
export interface DiodeFile {
  readonly name: string;
  readonly description: string;
  /** `packet`: every TCP payload is judged by itself. */
  readonly scope: "packet";
  readonly predicate: Predicate;
}

const KEYS = ["name", "description", "scope", "predicate"] as const;
type Key = typeof KEYS[number];

/** Keys that will have a meaning: a file that counts on it must not be read without. */
const RESERVED: readonly string[] = ["lens", "budget"];

const EXAMPLES: Record<Key, string> = {
  name: 'name = "hateless"',
  description: 'description = "what the diode lets through"',
  scope: 'scope = "packet"',
  predicate: `predicate = 'not contains "hate" within 512'`,
};

/**
 * @param text a TOML document with exactly the keys `name description scope predicate`.
 * @param path named in errors.
 * @throws VeiError `diode-invalid` with file, line, column, what is wrong and a hint.
 */
export function parseDiodeFile(text: string, path: string): DiodeFile {
  const file = wholeFile(text, path);
  const table = readToml(file);
  for (const key of Object.keys(table)) {
    if (!KEYS.includes(key as Key)) {
      const at = keyOffset(text, key);
      if (RESERVED.includes(key)) {
        throw invalidAt(file, at, `${key} is not understood yet`, "the key is reserved: remove it");
      }
      const hint = didYouMean(key, KEYS, `keys: ${KEYS.join(", ")}`);
      throw invalidAt(file, at, `unknown key ${key}`, hint);
    }
  }
  const value = (key: Key): string => {
    if (!Object.hasOwn(table, key)) {
      throw invalidAt(file, text.length, `the key ${key} is missing`, `add: ${EXAMPLES[key]}`);
    }
    const found = table[key];
    if (typeof found !== "string" || found.trim() === "") {
      const hint = `write it like ${EXAMPLES[key]}`;
      throw invalidAt(file, keyOffset(text, key), `${key} must be a string with content`, hint);
    }
    return found;
  };
  const [name, description, scope, predicate] = KEYS.map(value);
  if (!/^[a-z][a-z0-9_]{0,31}$/.test(name)) {
    const hint = "1 to 32 lower-case letters, digits and underscores, beginning with a letter";
    throw invalidAt(
      file,
      keyOffset(text, "name"),
      `${JSON.stringify(name)} cannot be a name`,
      hint,
    );
  }
  if (scope !== "packet") {
    const hint = 'the one scope there is: scope = "packet"';
    throw invalidAt(file, keyOffset(text, "scope"), `unknown scope ${JSON.stringify(scope)}`, hint);
  }
  return {
    name,
    description,
    scope,
    predicate: parsePredicate(stringValue(file, "predicate", predicate)),
  };
}

function readToml(file: Source): Record<string, unknown> {
  try {
    return parse(file.text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const at = { ...file, place: () => ({ line: cause.line, column: cause.column }) };
    const [why] = cause.message.split("\n");
    throw invalidAt(at, 0, why, "mend the TOML syntax there");
  }
}

/** @returns where a top-level key stands; the file's beginning when it cannot be found. */
function keyOffset(text: string, key: string): number {
  const literally = key.replace(/[^\w]/g, "\\$&");
  const match = new RegExp(`^[ \\t]*["']?${literally}["']?[ \\t]*[=.]`, "m").exec(text);
  return match ? match.index + match[0].search(/\S/) : 0;
}

/**
 * @returns the decoded string `value` of `key`, each character with its place in the file. Escapes
 * make the two differ; where the decoding cannot be followed every place is the key's own.
 */
function stringValue(file: Source, key: Key, value: string): Source {
  const start = keyOffset(file.text, key);
  const offsets = contentOffsets(file.text, start, value);
  const place = (offset: number) => placeIn(file.text, offsets?.[offset] ?? start);
  return { text: value, path: file.path, place };
}

/** @returns for each character of `value` (and its end) its offset in `text`, or null. */
function contentOffsets(text: string, start: number, value: string): number[] | null {
  const opening = /[^=]*=[ \t]*('''\n?|"""\n?|'|")/y;
  opening.lastIndex = start;
  const quote = opening.exec(text)?.[1];
  if (quote === undefined) return null;
  const offsets: number[] = [];
  let at = opening.lastIndex;
  for (let i = 0; i < value.length; i++) {
    const escape = /\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\s*\n\s*|[^\s])/y;
    escape.lastIndex = at;
    const escaped = quote.startsWith('"') ? escape.exec(text)?.[0] : undefined;
    if (escaped !== undefined && /^\\\s/.test(escaped)) {
      at += escaped.length; // a line continued: it stands for no character
      i--;
      continue;
    }
    if (escaped === undefined && text[at] !== value[i]) return null;
    offsets.push(at);
    at += escaped?.length ?? 1;
    if (escaped?.startsWith("\\U") && value.codePointAt(i)! > 0xffff) {
      offsets.push(offsets[i]);
      i++;
    }
  }
  offsets.push(at);
  return offsets;
}
