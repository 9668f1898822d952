/** A regular expression as it stands between slashes, of characters' symbols. */
import type { AST } from "../../../policy/regex.ts";
import { refuse } from "../refusal.ts";
import { Characters } from "./characters.ts";
import { EDGE, type Expression, Expressions, LINE, OTHER, places, WORD } from "./expressions.ts";

/** RegExps for the sides of places, each written as no part of an expression is. */
const LINES = "(?:[\\n\\r\\u2028\\u2029])", WORDS = "(?:\\w)";

export class Pattern extends Expressions {
  /** RegExps for one character each. */
  private readonly parts = new Set<string>();
  /** Texts in which it matches somewhere. */
  readonly anywhere: Expression;
  readonly characters: Characters;

  /** @throws VeiError `proof-predicate`. */
  constructor({ alternatives }: AST.Pattern, private readonly flags: string) {
    super();
    this.anywhere = this.sequence([this.all, this.alternatives(alternatives), this.all]);
    this.characters = new Characters([...this.parts], flags.replace("m", ""));
  }

  override sideOf(symbol: number): number {
    if (this.characters.has(symbol, LINES)) return LINE;
    return this.characters.has(symbol, WORDS) ? WORD : OTHER;
  }

  private alternatives(all: readonly AST.Alternative[]): Expression {
    return this.or(all.map((one) => this.sequence(one.elements.map((e) => this.element(e)))));
  }

  private element(element: AST.Element): Expression {
    switch (element.type) {
      case "Group":
      case "CapturingGroup":
        if ("modifiers" in element && element.modifiers) break;
        return this.alternatives(element.alternatives);
      case "Quantifier":
        return this.times(this.element(element.element), element.min, element.max);
      case "Character": {
        const digits = element.value.toString(16).padStart(4, "0");
        return this.part(this.flags.includes("u") ? `\\u{${digits}}` : `\\u${digits}`);
      }
      case "CharacterSet":
      case "CharacterClass":
        return this.part(element.raw);
      case "Assertion":
        if (element.kind === "lookahead" || element.kind === "lookbehind") break;
        return this.assertion(element);
    }
    throw refuse("predicate", `${element.raw} is not understood`);
  }

  private part(part: string): Expression {
    this.parts.add(part);
    return this.one(part, (symbol) => this.characters.has(symbol, part));
  }

  private assertion(asked: AST.EdgeAssertion | AST.WordBoundaryAssertion): Expression {
    if (asked.kind === "word") this.parts.add(WORDS);
    else if (this.flags.includes("m")) this.parts.add(LINES);
    const isEdge = (side: number) => side === EDGE || side === LINE;
    const holds = (before: number, after: number) => {
      if (asked.kind === "word") return ((before === WORD) !== (after === WORD)) !== asked.negate;
      return isEdge(asked.kind === "start" ? before : after);
    };
    return this.at(asked.raw, places(holds));
  }
}
