/** A table of a file, whose every value is taken by name, and whose errors say where it stands. */
import type { VeiError } from "../base/errors.ts";
import { didYouMean } from "./nearest.ts";
import { invalidAt, type Source } from "./source.ts";
import { quotedSource, type Spot } from "./spots.ts";

/** A list's item and where it stands. */
export interface Item {
  readonly value: unknown;
  readonly at: number;
}

/** Longer names and ids are mistakes. */
const MOST_LINE = 200;

/** A table. Numbers are taken from bigints: a float, as TOML has it, is no whole number. */
export class Fields {
  /**
   * @param what the table's name for people, such as `[[forbid]]`.
   * @param keys every key that it may have, each with an example for hints.
   * @throws VeiError `policy-invalid` for a key that it may not have.
   */
  constructor(
    readonly file: Source,
    readonly what: string,
    private readonly value: Readonly<Record<string, unknown>>,
    private readonly spot: Spot,
    private readonly keys: Readonly<Record<string, string>>,
  ) {
    const known = Object.keys(keys);
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      const hint = didYouMean(key, known, `keys of ${what}: ${known.join(", ")}`);
      throw this.wrong(key, `unknown key ${key}`, hint);
    }
  }

  /** The line that the table begins in. */
  get line(): number {
    return this.file.place(this.spot.key).line;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.value, key);
  }

  /** @returns how a key is written. */
  example(key: string): string {
    return this.keys[key];
  }

  /** @returns the error about the table as a whole. */
  fault(what: string, hint: string): VeiError {
    return policyInvalid(this.file, this.spot.key, what, hint);
  }

  /** @returns the error about a key, which points at it. */
  wrong(key: string, what: string, hint: string): VeiError {
    return policyInvalid(this.file, this.spot.keys.get(key)?.key ?? this.spot.key, what, hint);
  }

  /** @returns the error about a key's value, which points at the value. */
  wrongValue(key: string, what: string, hint = `write it like ${this.keys[key]}`): VeiError {
    return policyInvalid(this.file, this.spot.keys.get(key)?.at ?? this.spot.key, what, hint);
  }

  /** @throws VeiError when the key is missing. */
  demand(key: string): void {
    if (this.has(key)) return;
    // The whole file's table ends where the file does.
    const at = this.spot.at === 0 ? this.file.text.length : this.spot.key;
    const what = `the key ${key} of ${this.what} is missing`;
    throw policyInvalid(this.file, at, what, `add: ${this.keys[key]}`);
  }

  /** @returns the text of a key that must be there. It may be empty. */
  text(key: string): string {
    this.demand(key);
    const found = this.value[key];
    if (typeof found !== "string") throw this.wrongValue(key, `${key} must be a text`);
    if (!found.isWellFormed()) {
      throw this.wrongValue(key, `${key} holds half of a surrogate pair`, "it is no character");
    }
    return found;
  }

  /** @returns a text for people: not empty, without control characters but tabs and line breaks. */
  prose(key: string): string {
    const found = this.text(key);
    if (found.trim() === "") throw this.wrongValue(key, `${key} must not be empty`);
    // deno-lint-ignore no-control-regex
    const control = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/.exec(found);
    if (control) {
      const hint = "a terminal that shows it would obey it: leave it out";
      throw this.wrongValue(key, `${key} holds a control character`, hint);
    }
    return found;
  }

  /** @returns a text of one line that has the form. */
  named(key: string, form: RegExp, hint: string): string {
    const found = this.text(key);
    if (found.length > MOST_LINE || !form.test(found)) {
      throw this.wrongValue(key, `${JSON.stringify(found)} cannot be the ${key}`, hint);
    }
    return found;
  }

  /** @returns one of the texts; the first one when the key is missing. */
  oneOf<T extends string>(key: string, from: readonly T[]): T {
    if (!this.has(key)) return from[0];
    const found = this.text(key);
    const same = from.find((one) => one === found);
    if (same !== undefined) return same;
    const hint = didYouMean(found, from, `one of ${from.map((one) => `"${one}"`).join(", ")}`);
    throw this.wrongValue(key, `unknown ${key} ${JSON.stringify(found)}`, hint);
  }

  /** @returns a truth value; false when the key is missing. */
  flag(key: string): boolean {
    if (!this.has(key)) return false;
    const found = this.value[key];
    if (typeof found !== "boolean") throw this.wrongValue(key, `${key} must be true or false`);
    return found;
  }

  /** @returns whether the key's value is a text. */
  isText(key: string): boolean {
    return typeof this.value[key] === "string";
  }

  /** @returns a whole number from `least` to `most`; null when the key is missing. */
  integer(key: string, least: number, most: number): number | null {
    if (!this.has(key)) return null;
    const found = this.value[key];
    if (typeof found === "bigint" && found >= BigInt(least) && found <= BigInt(most)) {
      return Number(found);
    }
    throw this.wrongValue(key, `${key} must be a whole number from ${least} to ${most}`);
  }

  /** @returns what `read` makes of the text. It throws SyntaxError for a text of another form. */
  parsed<T>(key: string, read: (text: string) => T): T {
    const found = this.text(key);
    try {
      return read(found);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw this.wrongValue(key, `${key} cannot be ${JSON.stringify(found)}`);
    }
  }

  /** @returns the items of a list; none when the key is missing. */
  list(key: string): Item[] {
    if (!this.has(key)) return [];
    const found = this.value[key];
    if (!Array.isArray(found)) throw this.wrongValue(key, `${key} must be a list`);
    const spots = this.spot.keys.get(key);
    return found.map((value, i) => ({ value, at: spots?.items[i]?.at ?? spots?.at ?? 0 }));
  }

  /** @returns the texts of a list, at least one, none of them empty; each one of `from`, if given. */
  texts(key: string, from?: readonly string[]): string[] {
    const items = this.list(key);
    if (items.length === 0) throw this.wrongValue(key, `${key} must not be empty`);
    const hint = `write it like ${this.keys[key]}`;
    return items.map(({ value, at }) => {
      if (typeof value !== "string" || value === "" || !value.isWellFormed()) {
        throw policyInvalid(this.file, at, `${key} must hold texts, none of them empty`, hint);
      }
      if (from !== undefined && !from.includes(value)) {
        const what = `${key} cannot hold ${JSON.stringify(value)}`;
        throw policyInvalid(this.file, at, what, didYouMean(value, from, hint));
      }
      return value;
    });
  }

  /** @returns the table of a key; null when the key is missing. */
  table(key: string, what: string, keys: Readonly<Record<string, string>>): Fields | null {
    if (!this.has(key)) return null;
    const found = this.value[key];
    if (!isTable(found)) throw this.wrongValue(key, `${key} must be a table`);
    return new Fields(this.file, what, found, this.spot.keys.get(key) ?? this.spot, keys);
  }

  /**
   * @param what what errors call each of the tables.
   * @returns the tables of a list; none when the key is missing.
   */
  tables(key: string, keys: Readonly<Record<string, string>>, what = `[[${key}]]`): Fields[] {
    const hint = `write it as ${what}, with ${Object.keys(keys).slice(0, 2).join(", ")} and so on`;
    const spots = this.spot.keys.get(key);
    if (this.has(key) && !Array.isArray(this.value[key])) {
      throw this.wrong(key, `${key} must be a list of tables`, hint);
    }
    return this.list(key).map(({ value, at }, i) => {
      if (!isTable(value)) throw policyInvalid(this.file, at, `${what} must be a table`, hint);
      const where = spots?.items[i] ?? spots ?? this.spot;
      return new Fields(this.file, what, value, where, keys);
    });
  }

  /** @returns the text of a key, each of its characters with its place in the file. */
  source(key: string): Source {
    return quotedSource(this.file, this.spot.keys.get(key) ?? this.spot, this.text(key));
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Date);
}

/** @returns the error for a policy that cannot be read: place, what is wrong, what to do. */
export function policyInvalid(file: Source, at: number, what: string, hint: string): VeiError {
  // deno-lint-ignore no-control-regex
  const shown = what.replace(/[\0-\x1f\x7f-\x9f]/g, (control) => {
    return `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return invalidAt(file, at, shown, hint, true);
}
