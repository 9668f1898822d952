/** `matches`: a regular expression, looked for in the text that a payload's bytes decode to. */
import type { AST, Regex } from "../../../policy/regex.ts";
import { refuse } from "../refusal.ts";
import { Characters, leadOf } from "./characters.ts";
import {
  EDGE,
  type Expression,
  Expressions,
  LINE,
  OTHER,
  type Place,
  SIDES,
  WORD,
} from "./expressions.ts";
import type { Residual, Residuals } from "./residuals.ts";

/** The trusted parser of expressions: `src/policy/regex.ts`. */
export type ReadRegex = (source: string, flags: string) => Regex;

/** The first two of the RegExps for one character: what a side of a place may be. */
const SIDE_PARTS = ["[\\n\\r\\u2028\\u2029]", "\\w"];
/** What a byte that cannot be part of a character is read as, and a character that is broken off. */
const REPLACEMENT = 0xfffd;
const BROKEN = { more: 0, low: 0, high: 0 };

export class Text {
  private readonly parts = [...SIDE_PARTS];
  private readonly asks = new Set<AST.Assertion["kind"]>();
  private readonly expressions = new Expressions((symbol) => this.side(symbol));
  private readonly characters: Characters;
  private readonly whole: Expression;
  /** What of the whole may match elsewhere than at the beginning. */
  private readonly later: Expression;
  /** Of what is between two characters: what may still come after one more symbol. */
  private readonly reads = new Map<Residual, (symbol: number) => Residual>();

  /** @param name tells it from other texts. @throws VeiError `proof-predicate`. */
  constructor(
    private readonly residuals: Residuals,
    private readonly regex: Regex,
    private readonly name: string,
  ) {
    const { ignoreCase, dotAll, unicode } = regex.flags;
    this.whole = this.alternatives(regex.pattern.alternatives);
    const flags = `${ignoreCase ? "i" : ""}${dotAll ? "s" : ""}${unicode ? "u" : ""}`;
    this.characters = new Characters(this.parts, flags);
    this.later = this.possible(this.whole, [LINE, WORD, OTHER]);
  }

  /** @returns the payloads in which the expression matches. */
  begin(): Residual {
    const before = this.asks.size > 0 ? EDGE : OTHER;
    return this.between(this.possible(this.whole, [before]), before);
  }

  /** Between two characters. @param open what has begun to match, or begins here. */
  private between(open: Expression, before: number): Residual {
    const { residuals, expressions, characters } = this;
    if (SIDES.every((after) => open.nullable(before, after))) return residuals.always;
    if (open === expressions.never && this.later === expressions.never) return residuals.never;
    const here: Residual = residuals.atom(
      `${this.name} ${before} ${open.id}`,
      open.nullable(before, EDGE),
      (byte) => byte < 0x80 ? characters.between(byte, byte)[0] : leadOf(byte) && byte,
      (byte) => {
        const { more, low, high } = leadOf(byte) ?? BROKEN;
        const bits = more === 0 ? byte : (byte & 0x3f >> more) * 64 ** more;
        return this.within(here, leadOf(byte) ? bits : REPLACEMENT, more, low, high);
      },
    );
    this.reads.set(here, (symbol) => {
      const after = this.side(symbol);
      if (open.nullable(before, after)) return residuals.always;
      const begun = expressions.or([open.derive(symbol, before), this.later]);
      return this.between(this.possible(begun, [after]), after);
    });
    return here;
  }

  /** After `bits` of a character that lacks `more` bytes, the next from `low` to `high`. */
  private within(from: Residual, bits: number, more: number, low: number, high: number): Residual {
    const kinds = (first: number, last: number) =>
      this.characters.between(first, last).map((symbols) =>
        symbols.reduce((at, symbol) => this.reads.get(at)?.(symbol) ?? at, from)
      );
    if (more === 0) return kinds(bits, bits)[0];
    const width = 64 ** (more - 1);
    const begin = (byte: number) => bits + (byte - 0x80) * width;
    const [broken] = kinds(REPLACEMENT, REPLACEMENT);
    const outcomes = new Set(kinds(begin(low), begin(high + 1) - 1));
    const [outcome] = outcomes;
    const alike = outcomes.size === 1;
    if (alike && outcome === broken && !this.reads.has(broken)) return broken;
    const continues = (byte: number) => byte >= low && byte <= high;
    // Which characters they are matters only where it makes a difference.
    return this.residuals.atom(
      `${this.name} in ${
        alike ? outcome.id : `${from.id}+${bits}`
      } ${more} ${low} ${high} ${broken.id}`,
      broken.accepts,
      (byte) => continues(byte) ? alike ? -1 : ~byte : broken.row().classes.classOf[byte],
      (byte) =>
        continues(byte)
          ? this.within(from, begin(byte), more - 1, 0x80, 0xbf)
          : this.residuals.after(broken, byte),
    );
  }

  private side(symbol: number): number {
    const lines = this.regex.flags.multiline && (this.asks.has("start") || this.asks.has("end"));
    if (lines && this.characters.has(symbol, 0)) return LINE;
    return this.asks.has("word") && this.characters.has(symbol, 1) ? WORD : OTHER;
  }

  /** @returns the alternatives but those that begin by asking for another side before. */
  private possible(one: Expression, befores: readonly number[]): Expression {
    return this.expressions.or(one.options.filter((option) => {
      const { place } = option.first ?? option;
      return place === null ||
        befores.some((before) => SIDES.some((after) => place(before, after)));
    }));
  }

  private alternatives(all: readonly AST.Alternative[]): Expression {
    const { expressions } = this;
    return expressions.or(all.map(({ elements }) =>
      elements.reduceRight(
        (rest, element) => expressions.then(this.element(element), rest),
        expressions.empty,
      )
    ));
  }

  private element(element: AST.Element): Expression {
    const { expressions } = this;
    switch (element.type) {
      case "Group":
      case "CapturingGroup":
        return this.alternatives(element.alternatives);
      case "Quantifier":
        return expressions.times(this.element(element.element), element.min, element.max);
      case "Character": {
        const digits = element.value.toString(16);
        return this.one(
          this.regex.flags.unicode ? `\\u{${digits}}` : `\\u${digits.padStart(4, "0")}`,
        );
      }
      case "CharacterSet":
      case "CharacterClass":
        return this.one(element.raw);
      case "Assertion":
        this.asks.add(element.kind);
        return expressions.at(element.raw, placeOf(element));
    }
    throw refuse("predicate", `${element.raw} is not understood`);
  }

  private one(part: string): Expression {
    if (!this.parts.includes(part)) this.parts.push(part);
    const index = this.parts.indexOf(part);
    return this.expressions.one(`${index}`, (symbol) => this.characters.has(symbol, index));
  }
}

function placeOf(assertion: AST.Assertion): Place {
  const edge = (side: number) => side === EDGE || side === LINE;
  switch (assertion.kind) {
    case "start":
      return (before) => edge(before);
    case "end":
      return (_, after) => edge(after);
    case "word":
      return (before, after) => ((before === WORD) !== (after === WORD)) !== assertion.negate;
  }
  throw refuse("predicate", `${assertion.raw} is not understood`);
}
