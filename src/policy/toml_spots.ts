/**
 * Where the values of a TOML document stand. The document has been parsed by smol-toml before: this
 * scanner takes its syntax for granted, and gives up quietly where it cannot follow. Errors then
 * point at the nearest place that is known.
 */
import { readQuoted, type Spot, spot, Unfinished } from "./spots.ts";

/** @returns the places of all keys and values that could be followed. */
export function tomlSpots(text: string): Spot {
  const scanner = new Scanner(text);
  try {
    scanner.document();
  } catch (error) {
    if (!(error instanceof Unfinished)) throw error;
  }
  return scanner.root;
}

const VOID = /(?:[ \t\r\n\ufeff]+|#[^\n]*)*/y;
const BLANK = /[ \t]*/y;
const BARE_KEY = /[A-Za-z0-9_-]+/y;
/** A number, a truth value or a date; the latter may hold a blank. */
const BARE_VALUE = /[^,\]}#\r\n]+/y;

class Scanner {
  readonly root = spot(0, 0);
  private at = 0;

  constructor(private readonly text: string) {}

  document(): void {
    let table = this.root;
    for (this.skip(VOID); this.at < this.text.length; this.skip(VOID)) {
      if (this.text[this.at] === "[") table = this.header();
      else this.pair(table, "=");
    }
  }

  /** Reads `[a.b]` or `[[a.b]]`. @returns the place of the table that it begins. */
  private header(): Spot {
    const start = this.at;
    const isItem = this.text[start + 1] === "[";
    this.at += isItem ? 2 : 1;
    const path = this.path("]");
    if (isItem) this.take("]");
    const last = path.pop()!;
    let table = this.root;
    for (const { key, at } of path) {
      const inner = entry(table, key, at);
      table = inner.items.at(-1) ?? inner;
    }
    const found = entry(table, last.key, isItem ? start : last.at);
    if (!isItem) return found;
    found.items.push(spot(start, start));
    return found.items[found.items.length - 1];
  }

  /** Reads `a.b = value` into the table. */
  private pair(table: Spot, sign: string): void {
    const path = this.path(sign);
    const last = path.pop()!;
    const inner = path.reduce((outer, { key, at }) => entry(outer, key, at), table);
    this.skip(BLANK);
    inner.keys.set(last.key, this.value(last.at));
  }

  private path(end: string): { key: string; at: number }[] {
    const path: { key: string; at: number }[] = [];
    do {
      this.skip(BLANK);
      path.push({ at: this.at, key: this.key() });
      this.skip(BLANK);
    } while (this.accept("."));
    this.take(end);
    return path;
  }

  private key(): string {
    if (this.text[this.at] !== '"' && this.text[this.at] !== "'") return this.skip(BARE_KEY);
    const { value, end } = readQuoted(this.text, this.at);
    this.at = end;
    return value;
  }

  private value(key: number): Spot {
    const found = spot(key, this.at);
    switch (this.text[this.at]) {
      case '"':
      case "'":
        this.at = readQuoted(this.text, this.at).end;
        break;
      case "[":
        this.list("]", () => found.items.push(this.value(this.at)));
        break;
      case "{":
        this.list("}", () => this.pair(found, "="));
        break;
      default:
        this.skip(BARE_VALUE);
    }
    return found;
  }

  private list(end: string, item: () => void): void {
    this.at++;
    for (this.skip(VOID); !this.accept(end); this.skip(VOID)) {
      item();
      this.skip(VOID);
      if (!this.accept(",") && this.text[this.at] !== end) throw new Unfinished();
    }
  }

  private skip(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw new Unfinished();
    this.at += found.length;
    return found;
  }

  private accept(mark: string): boolean {
    if (this.text[this.at] !== mark) return false;
    this.at++;
    return true;
  }

  private take(mark: string): void {
    if (!this.accept(mark)) throw new Unfinished();
  }
}

/** @returns the place of a table's entry, made when it is first named. */
function entry(table: Spot, key: string, at: number): Spot {
  if (!table.keys.has(key)) table.keys.set(key, spot(at, at));
  return table.keys.get(key)!;
}
