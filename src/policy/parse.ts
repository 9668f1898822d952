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
import { didYouMean } from "./nearest.ts";
import { type ByteRange, type Comparison, MOST_BYTES, type Predicate } from "./predicate.ts";
import { readRegex, RegexError } from "./regex.ts";
import { invalidAt, type Source } from "./source.ts";

/** Deeper nesting than anyone writes by hand; it keeps a hostile file from filling the stack. */
const MOST_NESTING = 100;

/** More predicates joined than anyone writes by hand; a list of words is one expression. */
const MOST_ATOMS = 1000;

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
  all: (p) =>
    p.oneOf(["printable", "in"], "all printable within 16, or all in [0x20..0x7e]") === "printable"
      ? { kind: "printable", within: p.within() }
      : { kind: "all-in", ranges: p.ranges(), within: p.within() },
  json_depth: (p) => ({
    kind: "json-depth",
    comparison: p.comparison(),
    bound: p.number("levels"),
  }),
  utf8: () => ({ kind: "utf8" }),
  matches: (p) => p.regex(),
  anything: () => ({ kind: "anything" }),
  nothing: () => ({ kind: "nothing" }),
};
const WORDS = [...Object.keys(ATOMS), "not"];

class Parser {
  private readonly tokens: Token[];
  private at = 0;
  private depth = 0;
  private atoms = 0;

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
    if (token.kind !== "word" || !Object.hasOwn(ATOMS, token.text)) {
      const otherwise = `predicates begin with ${WORDS.join(", ")} or (`;
      throw this.expected("a predicate", didYouMean(token.text, WORDS, otherwise));
    }
    if (++this.atoms > MOST_ATOMS) {
      throw this.wrong("too many predicates", `at most ${MOST_ATOMS}; try matches /one|two|…/`);
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

  number(what = "bytes"): number {
    const token = this.token();
    if (token.kind !== "number") throw this.expected(`a number of ${what}`, "such as 512");
    if (token.value > MOST_BYTES) {
      throw this.wrong(`${token.text} is too large`, `no payload is longer than ${MOST_BYTES}`);
    }
    this.at++;
    return token.value;
  }

  /** @returns the ranges of a list, ascending, those that overlap or touch made one. */
  ranges(): ByteRange[] {
    const hint = 'a list of bytes: [0x09, "a".."z"]';
    this.symbol("[", hint);
    const found: ByteRange[] = [];
    do {
      const start = this.at;
      const first = this.byte();
      const last = this.accept("..") ? this.byte() : first;
      if (last < first) {
        this.at = start;
        throw this.wrong("a range that runs backwards", "put the smaller byte first");
      }
      found.push({ first, last });
    } while (this.accept(","));
    this.symbol("]", hint);
    return joined(found);
  }

  private byte(): number {
    const token = this.token();
    if (token.kind !== "number" && token.kind !== "string") {
      throw this.expected("a byte", 'such as 0x20 or "a"');
    }
    if (token.kind === "string" && token.value.length !== 1) {
      const what = `${token.text} is ${token.value.length} bytes, not one`;
      throw this.wrong(what, "a list is of bytes; for characters use matches /^[…]*$/u");
    }
    const byte = token.kind === "string" ? token.value[0] : token.value;
    if (byte > 255) throw this.wrong(`${token.text} is no byte`, "bytes are 0 to 255 (0xff)");
    this.at++;
    return byte;
  }

  regex(): Predicate {
    const token = this.token();
    if (token.kind !== "regex") {
      throw this.expected("a regular expression", "between slashes, such as /^[a-z]+$/");
    }
    try {
      readRegex(token.source, token.flags);
    } catch (error) {
      if (!(error instanceof RegexError)) throw error;
      const before = 1 + (error.inFlags ? token.source.length + 1 : 0);
      throw invalidAt(
        this.source,
        token.offset + before + error.offset,
        error.message,
        error.hint,
      );
    }
    this.at++;
    if (this.is("within")) {
      throw this.wrong("matches has no within", "count in the expression: /^[^]{0,8}x/");
    }
    return { kind: "matches", source: token.source, flags: [...token.flags].sort().join("") };
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

  /** Takes one of the words. */
  oneOf(words: readonly string[], example: string): string {
    const token = this.token();
    for (const word of words) if (this.accept(word)) return word;
    throw this.expected(words.join(" or "), didYouMean(token.text, words, `such as ${example}`));
  }

  end(): void {
    const token = this.token();
    if (token.kind !== "end") {
      const otherwise = "join predicates with and or or";
      const hint = didYouMean(token.text, ["and", "or", "within"], otherwise);
      throw this.expected("the end, and or or", hint);
    }
  }

  private symbol(text: string, hint: string): void {
    if (!this.accept(text)) throw this.expected(JSON.stringify(text), hint);
  }

  /** Takes the next token when it is this word or symbol. */
  private accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }

  private is(text: string): boolean {
    const token = this.token();
    return (token.kind === "word" || token.kind === "symbol") && token.text === text;
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

function joined(ranges: ByteRange[]): ByteRange[] {
  const out: { first: number; last: number }[] = [];
  for (const { first, last } of ranges.sort((a, b) => a.first - b.first)) {
    const before = out.at(-1);
    if (before && first <= before.last + 1) before.last = Math.max(before.last, last);
    else out.push({ first, last });
  }
  return out;
}
