/**
 * Regular expressions by derivatives (J. Brzozowski, 1964): what must still follow once a character
 * was read is an expression again. No automaton is built. `^ $ \b \B` are expressions that accept
 * the empty word at some places only, so acceptance and derivative are asked of a place.
 */
import { type AST, RegExpParser } from "@eslint-community/regexpp";
import { codePoints, codeUnits, sameLetters } from "./characters.ts";

/** What stands before or after a place. A place is numbered `before * 4 + after`. */
const EDGE = 0, LINE_BREAK = 1, WORD = 2, OTHER = 3;
type Side = typeof EDGE | typeof LINE_BREAK | typeof WORD | typeof OTHER;

type Shape =
  | { kind: "never" | "empty" }
  | { kind: "one"; has: (character: number) => boolean }
  | { kind: "at"; place: (before: Side, after: Side) => boolean }
  | { kind: "then"; first: Expression; rest: Expression }
  | { kind: "or"; options: Expression[] }
  | { kind: "times"; of: Expression; least: number; most: number };

/** Interned: the same expression is the same object. */
interface Expression {
  id: number;
  shape: Shape;
  /** By character, before and after. */
  derivatives: Map<number, Expression>;
  /** By place: undefined until asked. */
  emptyAt: (boolean | undefined)[];
}

/** @returns whether the expression matches somewhere in a payload, as `diodes/README.md` says. */
export function derivativeMatcher(
  source: string,
  flags: string,
): (payload: Uint8Array) => boolean {
  const unicode = flags.includes("u");
  const parser = new RegExpParser({ ecmaVersion: 2025 });
  const pattern = parser.parsePattern(source, 0, source.length, { unicode });
  const algebra = new Algebra();
  const reader = new Reader(algebra, flags);
  const whole = reader.alternatives(pattern.alternatives);
  return (payload) => {
    const points = codePoints(payload);
    const characters = unicode ? points : codeUnits(points);
    let before: Side = EDGE;
    let open = algebra.never;
    for (let at = 0; at <= characters.length; at++) {
      const after = at < characters.length ? reader.side(characters[at]) : EDGE;
      open = algebra.or([open, whole]);
      if (algebra.isEmptyAt(open, before, after)) return true;
      if (at < characters.length) open = algebra.derive(open, characters[at], before, after);
      before = after;
    }
    return false;
  };
}

/** Makes expressions, each once, and takes their derivatives. */
class Algebra {
  private readonly interned = new Map<string, Expression>();
  private count = 0;
  readonly never = this.intern("never", { kind: "never" });
  readonly empty = this.intern("empty", { kind: "empty" });

  private intern(key: string | null, shape: Shape): Expression {
    const known = key === null ? undefined : this.interned.get(key);
    if (known) return known;
    const made = { id: this.count++, shape, derivatives: new Map(), emptyAt: [] };
    if (key !== null) this.interned.set(key, made);
    return made;
  }

  one(has: (character: number) => boolean): Expression {
    return this.intern(null, { kind: "one", has });
  }

  at(place: (before: Side, after: Side) => boolean): Expression {
    return this.intern(null, { kind: "at", place });
  }

  then(first: Expression, rest: Expression): Expression {
    if (first === this.never || rest === this.never) return this.never;
    if (first === this.empty) return rest;
    if (rest === this.empty) return first;
    if (first.shape.kind === "then") {
      return this.then(first.shape.first, this.then(first.shape.rest, rest));
    }
    return this.intern(`${first.id}.${rest.id}`, { kind: "then", first, rest });
  }

  or(options: Expression[]): Expression {
    const flat = new Map<number, Expression>();
    for (const option of options) {
      const parts = option.shape.kind === "or" ? option.shape.options : [option];
      for (const part of parts) if (part !== this.never) flat.set(part.id, part);
    }
    const sorted = [...flat.values()].sort((a, b) => a.id - b.id);
    if (sorted.length === 0) return this.never;
    if (sorted.length === 1) return sorted[0];
    return this.intern(sorted.map(({ id }) => id).join("|"), { kind: "or", options: sorted });
  }

  times(of: Expression, least: number, most: number): Expression {
    if (most === 0 || of === this.empty) return this.empty;
    if (of === this.never) return least === 0 ? this.empty : this.never;
    if (least === 1 && most === 1) return of;
    return this.intern(`${of.id}{${least},${most}}`, { kind: "times", of, least, most });
  }

  isEmptyAt(expression: Expression, before: Side, after: Side): boolean {
    return expression.emptyAt[before * 4 + after] ??= this.computeEmpty(
      expression.shape,
      before,
      after,
    );
  }

  private computeEmpty(shape: Shape, before: Side, after: Side): boolean {
    switch (shape.kind) {
      case "never":
      case "one":
        return false;
      case "empty":
        return true;
      case "at":
        return shape.place(before, after);
      case "then":
        return this.isEmptyAt(shape.first, before, after) &&
          this.isEmptyAt(shape.rest, before, after);
      case "or":
        return shape.options.some((option) => this.isEmptyAt(option, before, after));
      case "times":
        return shape.least === 0 || this.isEmptyAt(shape.of, before, after);
    }
  }

  /** @returns what must follow `character`, which stands after the place. */
  derive(expression: Expression, character: number, before: Side, after: Side): Expression {
    const key = character * 4 + before;
    const known = expression.derivatives.get(key);
    if (known) return known;
    const derived = this.computeDerivative(expression.shape, character, before, after);
    expression.derivatives.set(key, derived);
    return derived;
  }

  private computeDerivative(
    shape: Shape,
    character: number,
    before: Side,
    after: Side,
  ): Expression {
    const derive = (of: Expression) => this.derive(of, character, before, after);
    switch (shape.kind) {
      case "never":
      case "empty":
      case "at":
        return this.never;
      case "one":
        return shape.has(character) ? this.empty : this.never;
      case "or":
        return this.or(shape.options.map(derive));
      case "then": {
        const inFirst = this.then(derive(shape.first), shape.rest);
        const skips = this.isEmptyAt(shape.first, before, after);
        return skips ? this.or([inFirst, derive(shape.rest)]) : inFirst;
      }
      case "times": {
        // Any number of times may have been empty here, and then need not be counted any more.
        const skips = this.isEmptyAt(shape.of, before, after);
        const least = skips ? 0 : Math.max(0, shape.least - 1);
        return this.then(derive(shape.of), this.times(shape.of, least, shape.most - 1));
      }
    }
  }
}

/** Syntax tree → expression. */
class Reader {
  private readonly ignoreCase: boolean;
  private readonly multiline: boolean;
  private readonly dotAll: boolean;
  private readonly unicode: boolean;

  constructor(private readonly algebra: Algebra, flags: string) {
    this.ignoreCase = flags.includes("i");
    this.multiline = flags.includes("m");
    this.dotAll = flags.includes("s");
    this.unicode = flags.includes("u");
  }

  side(character: number): Side {
    return isLineBreak(character) ? LINE_BREAK : this.isWord(character) ? WORD : OTHER;
  }

  alternatives(alternatives: readonly AST.Alternative[]): Expression {
    return this.algebra.or(alternatives.map(({ elements }) =>
      elements.reduceRight(
        (rest, element) => this.algebra.then(this.element(element), rest),
        this.algebra.empty,
      )
    ));
  }

  private element(element: AST.Element): Expression {
    switch (element.type) {
      case "Group":
      case "CapturingGroup":
        return this.alternatives(element.alternatives);
      case "Quantifier":
        return this.algebra.times(this.element(element.element), element.min, element.max);
      case "Assertion":
        return this.algebra.at(this.assertion(element));
      case "Character":
      case "CharacterSet":
        return this.one((character) => this.holds(element, character));
      case "CharacterClass": {
        const parts = element.elements as readonly AST.ClassRangesCharacterClassElement[];
        const listed = this.caseless((character) =>
          parts.some((part) => this.holds(part, character))
        );
        return this.algebra.one((character) => listed(character) !== element.negate);
      }
      default:
        throw new TypeError(`No derivative of ${element.type}`);
    }
  }

  private assertion(assertion: AST.Assertion): (before: Side, after: Side) => boolean {
    const edge = (side: Side) => side === EDGE || (this.multiline && side === LINE_BREAK);
    switch (assertion.kind) {
      case "start":
        return (before) => edge(before);
      case "end":
        return (_, after) => edge(after);
      case "word":
        return (before, after) => ((before === WORD) !== (after === WORD)) !== assertion.negate;
      default:
        throw new TypeError(`No derivative of ${assertion.kind}`);
    }
  }

  private one(has: (character: number) => boolean): Expression {
    return this.algebra.one(this.caseless(has));
  }

  /** @returns whether the set has the character, or with flag i one that is the same letter. */
  private caseless(has: (character: number) => boolean): (character: number) => boolean {
    if (!this.ignoreCase) return has;
    return (character) => sameLetters(character, this.unicode).some(has);
  }

  private holds(part: AST.ClassRangesCharacterClassElement | AST.CharacterSet, character: number) {
    switch (part.type) {
      case "Character":
        return part.value === character;
      case "CharacterClassRange":
        return part.min.value <= character && character <= part.max.value;
      case "CharacterSet":
        return this.inSet(part, character);
    }
  }

  private inSet(set: AST.CharacterSet, character: number): boolean {
    switch (set.kind) {
      case "any":
        return this.dotAll || !isLineBreak(character);
      case "digit":
        return (character >= 0x30 && character <= 0x39) !== set.negate;
      case "space":
        return isSpace(character) !== set.negate;
      case "word":
        return this.isWord(character) !== set.negate;
      case "property": {
        const property = set.value === null ? set.key : `${set.key}=${set.value}`;
        const has = new RegExp(`^\\p{${property}}$`, "u").test(String.fromCodePoint(character));
        return has !== set.negate;
      }
    }
  }

  /** Letters, digits and `_` of ASCII; with flags i and u what is the same letter as one of them. */
  private isWord(character: number): boolean {
    const plain = (one: number) => one < 0x80 && /[a-zA-Z0-9_]/.test(String.fromCharCode(one));
    if (!this.ignoreCase || !this.unicode) return plain(character);
    return sameLetters(character, true).some(plain);
  }
}

function isLineBreak(character: number): boolean {
  return [0x0a, 0x0d, 0x2028, 0x2029].includes(character);
}

/** WhiteSpace and LineTerminator of ECMA-262. */
function isSpace(character: number): boolean {
  return (character >= 0x09 && character <= 0x0d) || (character >= 0x2000 && character <= 0x200a) ||
    [0x20, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff].includes(character);
}
