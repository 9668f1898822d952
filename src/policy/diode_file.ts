/** A diode's file: a few lines of TOML, one of them the predicate. */
import { parse, TomlError } from "smol-toml";
import { didYouMean } from "./nearest.ts";
import { parsePredicate } from "./parse.ts";
import type { Predicate } from "./predicate.ts";
import { invalidAt, type Source, wholeFile } from "./source.ts";
import { quotedSource } from "./spots.ts";
import { tomlSpots } from "./toml_spots.ts";

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
  const spots = tomlSpots(text);
  const keyOffset = (key: string) => spots.keys.get(key)?.key ?? 0;
  for (const key of Object.keys(table)) {
    if (!KEYS.includes(key as Key)) {
      const at = keyOffset(key);
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
      throw invalidAt(file, keyOffset(key), `${key} must be a string with content`, hint);
    }
    return found;
  };
  const [name, description, scope, predicate] = KEYS.map(value);
  if (!/^[a-z][a-z0-9_]{0,31}$/.test(name)) {
    const hint = "1 to 32 lower-case letters, digits and underscores, beginning with a letter";
    throw invalidAt(
      file,
      keyOffset("name"),
      `${JSON.stringify(name)} cannot be a name`,
      hint,
    );
  }
  if (scope !== "packet") {
    const hint = 'the one scope there is: scope = "packet"';
    throw invalidAt(file, keyOffset("scope"), `unknown scope ${JSON.stringify(scope)}`, hint);
  }
  return {
    name,
    description,
    scope,
    predicate: parsePredicate(quotedSource(file, spots.keys.get("predicate"), predicate)),
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
