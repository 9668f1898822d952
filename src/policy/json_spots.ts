/** JSON (RFC 8259) with the place of every value, and errors that say where. */
import { readQuoted, type Spot, spot, Unfinished } from "./spots.ts";

/** Lists and objects within each other. */
const MOST_NESTING = 20;

/** Thrown by `parseJson`. `offset` is in UTF-16 code units. */
export class JsonProblem extends Error {
  override name = "JsonProblem";
  constructor(message: string, readonly offset: number) {
    super(message);
  }
}

/**
 * @returns the value and the places of its parts. Objects have no prototype, and whole numbers of up to
 * 18 digits are bigints. A byte order mark in front is passed over.
 * @throws JsonProblem, also for a key that an object has twice.
 */
export function parseJson(text: string): { value: unknown; where: Spot } {
  const parser = new Parser(text);
  const found = parser.value(parser.next());
  parser.end();
  return found;
}

interface Found {
  readonly value: unknown;
  readonly where: Spot;
}

const VOID = /[ \t\r\n]*/y;
const PLAIN = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

class Parser {
  private at = 0;
  private depth = 0;

  constructor(private readonly text: string) {
    if (text.startsWith("\ufeff")) this.at = 1;
  }

  /** @returns where the next thing that means something begins. */
  next(): number {
    VOID.lastIndex = this.at;
    this.at += VOID.exec(this.text)![0].length;
    return this.at;
  }

  end(): void {
    if (this.next() < this.text.length) throw this.problem("more than one value");
  }

  value(key: number): Found {
    const where = spot(key, this.at);
    switch (this.text[this.at]) {
      case '"':
        return { value: this.string(), where };
      case "[": {
        const value: unknown[] = [];
        this.list("]", () => {
          const item = this.value(this.at);
          value.push(item.value);
          where.items.push(item.where);
        });
        return { value, where };
      }
      case "{": {
        const value: Record<string, unknown> = Object.create(null);
        this.list("}", () => {
          const start = this.at;
          if (this.text[start] !== '"') throw this.problem("expected a key in double quotes");
          const name = this.string();
          if (Object.hasOwn(value, name)) {
            throw new JsonProblem(`the key ${JSON.stringify(name)} twice`, start);
          }
          if (this.text[this.next()] !== ":") throw this.problem("expected a colon");
          this.at++;
          this.next();
          const entry = this.value(start);
          value[name] = entry.value;
          where.keys.set(name, entry.where);
        });
        return { value, where };
      }
    }
    return { value: this.plain(), where };
  }

  private list(end: string, item: () => void): void {
    if (++this.depth > MOST_NESTING) throw this.problem("nested too deeply");
    this.at++;
    if (this.text[this.next()] !== end) {
      for (;;) {
        item();
        const mark = this.text[this.next()];
        if (mark === end) break;
        if (mark !== ",") throw this.problem(`expected a comma or ${end}`);
        this.at++;
        this.next();
      }
    }
    this.at++;
    this.depth--;
  }

  private string(): string {
    const start = this.at;
    try {
      this.at = readQuoted(this.text, start).end;
      return JSON.parse(this.text.slice(start, this.at));
    } catch (error) {
      if (!(error instanceof Unfinished || error instanceof SyntaxError)) throw error;
      const what = error instanceof Unfinished ? "a text without an end" : "a text with a fault";
      throw new JsonProblem(what, start);
    }
  }

  private plain(): unknown {
    PLAIN.lastIndex = this.at;
    const found = PLAIN.exec(this.text)?.[0];
    if (found === undefined) throw this.problem("expected a value");
    this.at += found.length;
    return /^-?[0-9]{1,18}$/.test(found) ? BigInt(found) : JSON.parse(found);
  }

  private problem(what: string): JsonProblem {
    return new JsonProblem(what, this.at);
  }
}
