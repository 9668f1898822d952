/**
 * Predicate text → syntax tree, by recursive descent:
 *
 *     predicate = conjunction { "or" conjunction }
 *     conjunction = negation { "and" negation }
 *     negation = "not" negation | "(" predicate ")" | atom
 *     atom = one of ATOMS below, by its first word
 */
import { tokenise } from "./lexer.ts";
import type { Token } from "./lexer.ts";
import { type Comparison, MOST_BYTES, type Predicate } from "./predicate.ts";
import { invalidAt, type Source } from "./source.ts";

/** Deeper nesting than anyone writes by hand; it keeps a hostile file from filling the stack. */
const MOST_NESTING = 100;

/** A longer predicate is a mistake. UTF-16 code units. */
const MOST_TEXT = 65_536;

/**
 * @returns the tree of the source's text.
 * @throws VeiError `diode-invalid` with file, line, column, what was expected, and a hint.
 */
export function parsePredicate(source: Source): Predicate {
  if (source.text.length > MOST_TEXT) {
    throw invalidAt(source, 0, "the predicate is too long", `at most ${MOST_TEXT} characters`);
  }
  const parser = new Parser(source);
  const predicate = parser.predicate();
  parser.end();
  return predicate;
}

/** What each first word of an atom makes of the words after it. A new predicate is a new line. */
const ATOMS: Record<string, (parser: Parser) => Predicate> = {
  contains: (p) => ({ kind: "contains", literal: p.string(), within: p.within() }),
  size: (p) => ({ kind: "size", comparison: p.comparison(), bound: p.number() }),
  starts_with: (p) => ({ kind: "starts-with", literals: [p.string()] }),
  starts_with_any: (p) => ({ kind: "starts-with", literals: p.strings() }),
  all: (p) => {
    p.word("printable", "all goes with printable: all printable within 16");
    return { kind: "printable", within: p.within() };
  },
};

class Parser {
  private readonly tokens: Token[];
  private at = 0;
  private depth = 0;

  constructor(private readonly source: Source) {
    this.tokens = tokenise(source);
  }

  predicate(): Predicate {
    let left = this.conjunction();
    while (this.accept("or")) left = { kind: "or", left, right: this.conjunction() };
    return left;
  }

  private conjunction(): Predicate {
    let left = this.negation();
    while (this.accept("and")) left = { kind: "and", left, right: this.negation() };
    return left;
  }

  private negation(): Predicate {
    if (++this.depth > MOST_NESTING) {
      throw this.wrong("nested too deeply", `at most ${MOST_NESTING} levels`);
    }
    const predicate = this.accept("not")
      ? { kind: "not" as const, operand: this.negation() }
      : this.accept("(")
      ? this.parenthesised()
      : this.atom();
    this.depth--;
    return predicate;
  }

  private parenthesised(): Predicate {
    const predicate = this.predicate();
    this.symbol(")", "close the parenthesis");
    return predicate;
  }

  private atom(): Predicate {
    const token = this.token();
    const words = Object.keys(ATOMS).join(", ");
    if (token.kind !== "word" || !Object.hasOwn(ATOMS, token.text)) {
      const near = token.kind === "word" ? nearest(token.text, Object.keys(ATOMS)) : undefined;
      throw this.expected(
        "a predicate",
        near ? `did you mean ${near}?` : `predicates begin with ${words}, not or (`,
      );
    }
    this.at++;
    return ATOMS[token.text](this);
  }

  string(): Uint8Array {
    const token = this.token();
    if (token.kind !== "string") throw this.expected("a string", 'such as "hate"');
    if (token.value.length === 0) {
      throw this.wrong("an empty string is in every payload", "put at least one character into it");
    }
    this.at++;
    return token.value;
  }

  strings(): Uint8Array[] {
    const hint = 'a list of strings: ["{", "["]';
    this.symbol("[", hint);
    const strings = [this.string()];
    while (this.accept(",")) strings.push(this.string());
    this.symbol("]", hint);
    return strings;
  }

  number(): number {
    const token = this.token();
    if (token.kind !== "number") throw this.expected("a number of bytes", "such as 512");
    if (token.value > MOST_BYTES) {
      throw this.wrong(`${token.text} is too large`, `no payload is longer than ${MOST_BYTES}`);
    }
    this.at++;
    return token.value;
  }

  within(): number | null {
    return this.accept("within") ? this.number() : null;
  }

  comparison(): Comparison {
    const token = this.token();
    if (!/^([<>]=?|==)$/.test(token.text)) {
      throw this.expected("a comparison", "one of < <= > >= ==");
    }
    this.at++;
    return token.text as Comparison;
  }

  word(text: string, hint: string): void {
    if (!this.accept(text)) throw this.expected(text, hint);
  }

  end(): void {
    if (this.token().kind !== "end") {
      throw this.expected("the end, and or or", "join predicates with and or or");
    }
  }

  private symbol(text: string, hint: string): void {
    if (!this.accept(text)) throw this.expected(JSON.stringify(text), hint);
  }

  /** Takes the next token when it is this word or symbol. */
  private accept(text: string): boolean {
    const token = this.token();
    if ((token.kind !== "word" && token.kind !== "symbol") || token.text !== text) return false;
    this.at++;
    return true;
  }

  private token(): Token {
    return this.tokens[this.at];
  }

  private expected(what: string, hint: string) {
    const token = this.token();
    return this.wrong(`expected ${what}, found ${token.text || "the end"}`, hint);
  }

  private wrong(what: string, hint: string) {
    return invalidAt(this.source, this.token().offset, what, hint);
  }
}

/** @returns the word that differs least from `text`, if it is near. */
function nearest(text: string, words: string[]): string | undefined {
  const simple = (word: string) =>
    word.toLowerCase().replaceAll("_", "").replace(/s(?=with|$)/, "");
  return words.find((word) => simple(word) === simple(text)) ??
    words.find((word) => word.length > 3 && distance(word, text) <= 2);
}

/** @returns the edit distance (Levenshtein) of two short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + (a[i] === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
