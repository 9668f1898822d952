/** `matches`: a regular expression, looked for in the text that a payload's bytes decode to. */
import type { AST, Regex } from "../../../policy/regex.ts";
import { refuse } from "../refusal.ts";
import { Characters, LEADS } from "./characters.ts";
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
import { BYTES, once } from "./once.ts";
import type { ByteClasses, Residual, Residuals } from "./residuals.ts";

/** The trusted parser of expressions: `src/policy/regex.ts`. */
export type ReadRegex = (source: string, flags: string) => Regex;

/** The first two of the RegExps for one character: what a side of a place may be. */
const SIDE_PARTS = ["[\\n\\r\\u2028\\u2029]", "\\w"];
/** What a byte that cannot be part of a character is read as, and a character that is broken off. */
const REPLACEMENT = 0xfffd;

/** Code points of which so much is read: `bits`, and `more` bytes, the next from `low` to `high`. */
interface Begun {
  readonly bits: number;
  readonly more: number;
  readonly low: number;
  readonly high: number;
}

const BROKEN: Begun = { bits: REPLACEMENT, more: 0, low: 0x80, high: 0xbf };

/** By a character's first byte; undefined: it is none. */
const BEGINNINGS = BYTES.map((byte): Begun | undefined => {
  const lead = LEADS.find(({ first, last }) => byte >= first && byte <= last);
  const bits = lead?.more ? (byte & 0x3f >> lead.more) * 64 ** lead.more : byte;
  return lead && { ...lead, bits };
});

function after({ bits, more }: Begun, byte: number): Begun {
  return { bits: bits + (byte - 0x80) * 64 ** (more - 1), more: more - 1, low: 0x80, high: 0xbf };
}

export class Text {
  private readonly parts = [...SIDE_PARTS];
  private readonly asks = new Set<AST.Assertion["kind"]>();
  private readonly expressions = new Expressions((symbol) => this.side(symbol));
  private readonly characters: Characters;
  private readonly whole: Expression;
  /** Whether it may match elsewhere than at the beginning. */
  private readonly searches: boolean;
  private readonly labels = new Map<number, string>();
  private classes?: ByteClasses;
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
    this.searches = this.whole.options.some(({ first, place }) => {
      const asks = first ? first.place : place;
      return !asks ||
        SIDES.some((before) => before !== EDGE && SIDES.some((after) => asks(before, after)));
    });
  }

  /** @returns the payloads in which the expression matches. */
  begin(): Residual {
    return this.between(this.expressions.never, this.asks.size > 0 ? EDGE : OTHER);
  }

  /** Between two characters. @param open what has begun to match, and must match on. */
  private between(open: Expression, before: number): Residual {
    const { residuals, expressions, whole } = this;
    const matched = (after: number) =>
      open.nullable(before, after) || whole.nullable(before, after);
    if (SIDES.every(matched)) return residuals.always;
    if (open === expressions.never && before !== EDGE && !this.searches) return residuals.never;
    const here = residuals.make(
      `${this.name} ${before} ${open.id}`,
      matched(EDGE),
      () => this.classes ??= residuals.classesBy((byte) => this.label(BEGINNINGS[byte])),
      (byte) => this.within(here, BEGINNINGS[byte] ?? BROKEN),
    );
    const read = new Map<number, Residual>();
    if (!this.reads.has(here)) {
      this.reads.set(here, (symbol) =>
        once(read, symbol, () => {
          const after = this.side(symbol);
          if (matched(after)) return residuals.always;
          const both = [open, whole].map((one) => one.derive(symbol, before));
          return this.between(expressions.or(both), after);
        }));
    }
    return here;
  }

  /** @returns the symbols of each kind of characters that may come of it. */
  private kinds(begun: Begun): readonly (readonly number[])[] {
    const { bits, more, low, high } = begun;
    if (more === 0) return this.characters.between(bits, bits);
    return this.characters.between(after(begun, low).bits, after(begun, high + 1).bits - 1);
  }

  /** The same for what leads on alike. */
  private label(begun?: Begun): unknown {
    return begun && once(this.labels, begun.bits * 4 + begun.more, () => {
      const kinds = this.kinds(begun);
      const { bits, more, low, high } = begun;
      return `${more} ${low} ${high} ${kinds.length > 1 ? `from ${bits}` : kinds}`;
    });
  }

  /** Within a character, or behind one. */
  private within(from: Residual, begun: Begun): Residual {
    const read = (symbols: readonly number[]) =>
      symbols.reduce((at, symbol) => this.reads.get(at)?.(symbol) ?? at, from);
    if (begun.more === 0) return read(this.kinds(begun)[0]);
    const outcomes = [...new Set(this.kinds(begun).map(read))];
    const [broken, alike] = [this.within(from, BROKEN), outcomes.length === 1];
    if (alike && outcomes[0] === broken && !this.reads.has(broken)) return broken;
    const { bits, more, low, high } = begun;
    const continues = (byte: number) => byte >= low && byte <= high;
    // Which character it will be matters only where that makes a difference.
    const what = alike ? outcomes[0].id : `${from.id} ${bits}`;
    return this.residuals.make(
      `${this.name} within ${more} ${low} ${high} ${broken.id} ${what}`,
      broken.accepts,
      () =>
        this.residuals.classesBy((byte) =>
          continues(byte)
            ? alike || this.label(after(begun, byte))
            : broken.row().classes.classOf[byte]
        ),
      (byte) =>
        continues(byte)
          ? this.within(from, after(begun, byte))
          : this.residuals.after(broken, byte),
    );
  }

  private side(symbol: number): number {
    const lines = this.regex.flags.multiline && (this.asks.has("start") || this.asks.has("end"));
    if (lines && this.characters.has(symbol, 0)) return LINE;
    return this.asks.has("word") && this.characters.has(symbol, 1) ? WORD : OTHER;
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
        if (element.modifiers) break;
        return this.alternatives(element.alternatives);
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
