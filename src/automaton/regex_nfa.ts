/**
 * A regular expression's nondeterministic automaton over characters, after K. Thompson, "Regular
 * expression search algorithm" (1968). Assertions are states of their own, passed when the
 * characters on both sides allow it.
 */
import type { AST, Regex, RegexFlags } from "../policy/regex.ts";
import type { CodeSet } from "./code_points.ts";
import { charactersOf, mostOf, wordCharacters } from "./regex_sets.ts";

/** What can be known of the character on one side of a place; bits. */
export const SIDE = {
  /** There is none: the place is the payload's beginning or end. */
  edge: 1,
  word: 2,
  lineBreak: 4,
} as const;

/** `^ $ \b \B`; each holds if the sides' bits say so. */
export interface Assertion {
  readonly kind: "start" | "end" | "word" | "not-word";
  /** For `start` and `end` the bits of which one must be set, for the others those of a word. */
  readonly bits: number;
}

export const CHARACTER = 0;
export const SPLIT = 1;
export const ASSERT = 2;
export const MATCH = 3;

/** The only MATCH. */
const END = 0;

/** States are numbers; `kind[s]` says how to read the rest. */
export interface Nfa {
  readonly start: number;
  readonly kind: Uint8Array;
  /** Of CHARACTER the index in `sets`, of ASSERT in `assertions`, of SPLIT in `branches`. */
  readonly arg: Int32Array;
  /** Of CHARACTER and ASSERT the state behind. */
  readonly next: Int32Array;
  readonly sets: readonly CodeSet[];
  readonly assertions: readonly Assertion[];
  readonly branches: readonly (readonly number[])[];
  /** Of each state the innermost repetition that it is part of, as an index; -1: of none. */
  readonly repetition: Int32Array;
  readonly repetitions: readonly Repetition[];
  /**
   * Of each state pairs of a family and a rank, one after another. Of two states of a family,
   * whatever the one of lower rank leads to a match, the other does too.
   */
  readonly ranks: readonly (readonly number[])[];
  readonly familyCount: number;
  readonly most: number;
  /** What a word's characters are, if an assertion asks. */
  readonly words: CodeSet | null;
}

/** A repetition in the expression; `parent` is the one around it, or -1. */
export interface Repetition {
  readonly node: AST.Quantifier;
  readonly parent: number;
}

/** Thrown when an expression's automaton outgrows the limits; `part` of it is what grows. */
export class RegexTooLarge extends Error {
  constructor(readonly part: { readonly start: number; readonly raw: string }) {
    super(`${part.raw} grows too large`);
  }
}

/** More states than any expression needs whose table fits. */
const MOST_NFA_STATES = 100_000;

/** @returns the automaton. @throws RegexTooLarge naming the repetition that multiplies most. */
export function thompson(regex: Regex): Nfa {
  return new Builder(regex).build();
}

class Builder {
  private readonly kind: number[] = [];
  private readonly arg: number[] = [];
  private readonly next: number[] = [];
  private readonly sets: CodeSet[] = [];
  private readonly setNumbers = new Map<string, number>();
  private readonly elements = new Map<string, number>();
  private readonly assertions: Assertion[] = [];
  private readonly branches: number[][] = [];
  private readonly repetition: number[] = [];
  private readonly repetitions: Repetition[] = [];
  private readonly repetitionNumbers = new Map<AST.Quantifier, number>();
  private inside = -1;
  private readonly ranks: number[][] = [];
  private familyCount = 0;

  constructor(private readonly regex: Regex) {}

  build(): Nfa {
    const { flags, pattern } = this.regex;
    this.state(MATCH, 0, 0);
    const start = this.alternatives(pattern.alternatives, END);
    const asksForWords = this.assertions.some(({ kind }) => kind === "word" || kind === "not-word");
    return {
      start,
      kind: Uint8Array.from(this.kind),
      arg: Int32Array.from(this.arg),
      next: Int32Array.from(this.next),
      sets: this.sets,
      assertions: this.assertions,
      branches: this.branches,
      repetition: Int32Array.from(this.repetition),
      repetitions: this.repetitions,
      ranks: this.ranks,
      familyCount: this.familyCount,
      most: mostOf(flags),
      words: asksForWords ? wordCharacters(flags) : null,
    };
  }

  private state(kind: number, arg: number, next: number): number {
    if (this.kind.length >= MOST_NFA_STATES) throw new RegexTooLarge(this.mostMultiplying());
    this.arg.push(arg);
    this.next.push(next);
    this.repetition.push(this.inside);
    this.ranks.push([]);
    return this.kind.push(kind) - 1;
  }

  private split(targets: number[]): number {
    return this.state(SPLIT, this.branches.push(targets) - 1, 0);
  }

  /** @returns the state from which any of the alternatives leads to `next`. */
  private alternatives(all: AST.Alternative[], next: number): number {
    const starts = all.map((one) =>
      one.elements.reduceRight((behind, element) => this.element(element, behind), next)
    );
    return starts.length === 1 ? starts[0] : this.split(starts);
  }

  private element(element: AST.Element, next: number): number {
    switch (element.type) {
      case "Character":
      case "CharacterSet":
      case "CharacterClass":
        return this.state(CHARACTER, this.setOf(element), next);
      case "Assertion":
        return this.state(
          ASSERT,
          this.assertions.push(assertion(element, this.regex.flags)) - 1,
          next,
        );
      case "CapturingGroup":
      case "Group":
        return this.alternatives(element.alternatives, next);
      case "Quantifier":
        return this.quantifier(element, next);
    }
    throw new TypeError(`Not a regular language's: ${element.raw}`);
  }

  private quantifier(node: AST.Quantifier, next: number): number {
    const outside = this.inside;
    if (!this.repetitionNumbers.has(node)) {
      const number = this.repetitions.push({ node, parent: outside }) - 1;
      this.repetitionNumbers.set(node, number);
    }
    this.inside = this.repetitionNumbers.get(node)!;
    // Once the expression has matched, more of it changes nothing.
    const max = next === END ? node.min : node.max;
    const copies: [from: number, to: number][] = [];
    const body = (behind: number) => {
      const from = this.kind.length;
      const start = this.element(node.element, behind);
      // A copy right before the end may lack parts that the others have.
      if (behind !== END) copies.push([from, this.kind.length]);
      return start;
    };

    let entry = next;
    if (max === Infinity) {
      const targets = [next];
      entry = this.split(targets);
      targets.push(body(entry));
    }
    for (let optional = node.min; optional < max && max !== Infinity; optional++) {
      const once = body(entry);
      if (once === entry) break; // the body is empty: however often, it changes nothing
      entry = this.split([next, once]);
    }
    // x{0,3} leads to a match wherever x{0,2} does.
    if (max !== Infinity) this.rank(copies.splice(0), 1);
    for (let i = 0; i < node.min; i++) {
      const once = body(entry);
      if (once === entry) break;
      entry = once;
    }
    // x{2,} leads to a match wherever x{3,} does.
    if (max === Infinity || next === END) this.rank(copies, -1);
    this.inside = outside;
    return entry;
  }

  /** Puts the states of alike copies into families; later copies rank higher by `step` each. */
  private rank(copies: [from: number, to: number][], step: 1 | -1): void {
    if (copies.length < 2) return;
    const [[begin, end]] = copies;
    copies.forEach(([from], copy) => {
      for (let i = 0; i < end - begin; i++) {
        this.ranks[from + i].push(this.familyCount + i, step * copy);
      }
    });
    this.familyCount += end - begin;
  }

  private setOf(element: AST.Character | AST.CharacterSet | AST.CharacterClass): number {
    // A repetition's copies, and equal classes, share one set.
    const known = this.elements.get(element.raw);
    if (known !== undefined) return known;
    const set = charactersOf(element, this.regex.flags);
    const key = set.join();
    if (!this.setNumbers.has(key)) this.setNumbers.set(key, this.sets.push(set) - 1);
    const number = this.setNumbers.get(key)!;
    this.elements.set(element.raw, number);
    return number;
  }

  private mostMultiplying(): { start: number; raw: string } {
    let worst: AST.Quantifier | null = null;
    const times = ({ min, max }: AST.Quantifier) => max === Infinity ? min : max;
    for (let at = this.inside; at >= 0; at = this.repetitions[at].parent) {
      const { node } = this.repetitions[at];
      if (worst === null || times(node) > times(worst)) worst = node;
    }
    return worst ?? this.regex.pattern;
  }
}

function assertion(node: AST.Assertion, { multiline }: RegexFlags): Assertion {
  switch (node.kind) {
    case "start":
    case "end":
      return { kind: node.kind, bits: SIDE.edge | (multiline ? SIDE.lineBreak : 0) };
    case "word":
      return { kind: node.negate ? "not-word" : "word", bits: SIDE.word };
  }
  throw new TypeError(`Not a regular language's: ${node.raw}`);
}

/** @returns whether a place with these sides is one that the assertion allows. */
export function holds({ kind, bits }: Assertion, before: number, after: number): boolean {
  const [left, right] = [(before & bits) !== 0, (after & bits) !== 0];
  switch (kind) {
    case "start":
      return left;
    case "end":
      return right;
    case "word":
      return left !== right;
    case "not-word":
      return left === right;
  }
}
