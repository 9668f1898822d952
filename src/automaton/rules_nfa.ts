/** Several regular expressions as one nondeterministic automaton; each match knows its rule. */
import type { Regex } from "../policy/regex.ts";
import type { CodeSet } from "./code_points.ts";
import { ASSERT, type Assertion, CHARACTER, MATCH, type Nfa, SIDE, thompson } from "./regex_nfa.ts";

/** An expression and the number of the rule that it is of. */
export interface RuleRegex {
  readonly rule: number;
  readonly regex: Regex;
}

/** As `Nfa`, but with a MATCH for each rule, whose `arg` is the rule's number. */
export interface RulesNfa extends Omit<Nfa, "words" | "start" | "most"> {
  /** A rule's first state. */
  readonly starts: readonly number[];
  /** What words' characters are, for each bit of `SIDE` or WORD_FOLDED that an assertion asks. */
  readonly words: readonly (readonly [bit: number, set: CodeSet])[];
}

/** A word's character where flag i makes ſ and the Kelvin sign ones too; beside the bits of SIDE. */
export const WORD_FOLDED = 8;

/** The largest character; all expressions have flag u. */
export const MOST_CHARACTER = 0x10ffff;

/**
 * @param rules expressions with flag u.
 * @throws RegexTooLarge naming the repetition that multiplies most.
 */
export function unionOf(rules: readonly RuleRegex[]): RulesNfa {
  const kind: number[] = [], arg: number[] = [], next: number[] = [], repetition: number[] = [];
  const starts: number[] = [];
  const sets: CodeSet[] = [];
  const setNumbers = new Map<string, number>();
  const assertions: Assertion[] = [];
  const branches: number[][] = [];
  const repetitions: Nfa["repetitions"][number][] = [];
  const ranks: number[][] = [];
  const words = new Map<number, CodeSet>();
  let familyCount = 0;
  for (const { rule, regex } of rules) {
    if (!regex.flags.unicode) throw new TypeError("A rule's expression has flag u");
    const nfa = thompson(regex);
    const base = kind.length;
    const wordBit = regex.flags.ignoreCase ? WORD_FOLDED : SIDE.word;
    if (nfa.words !== null) words.set(wordBit, nfa.words);
    const setOf = nfa.sets.map((set) => {
      const key = set.join();
      if (!setNumbers.has(key)) setNumbers.set(key, sets.push(set) - 1);
      return setNumbers.get(key)!;
    });
    const assertionBase = assertions.length;
    for (const one of nfa.assertions) {
      assertions.push(one.bits === SIDE.word ? { ...one, bits: wordBit } : one);
    }
    const branchBase = branches.length;
    for (const targets of nfa.branches) branches.push(targets.map((target) => base + target));
    const repetitionBase = repetitions.length;
    const outer = (parent: number) => parent < 0 ? parent : repetitionBase + parent;
    for (const { node, parent } of nfa.repetitions) {
      repetitions.push({ node, parent: outer(parent) });
    }
    nfa.kind.forEach((one, state) => {
      kind.push(one);
      next.push(base + nfa.next[state]);
      repetition.push(outer(nfa.repetition[state]));
      ranks.push(nfa.ranks[state].map((item, i) => i % 2 === 0 ? familyCount + item : item));
      const was = nfa.arg[state];
      if (one === MATCH) arg.push(rule);
      else if (one === CHARACTER) arg.push(setOf[was]);
      else if (one === ASSERT) arg.push(assertionBase + was);
      else arg.push(branchBase + was);
    });
    familyCount += nfa.familyCount;
    starts.push(base + nfa.start);
  }
  return {
    starts,
    kind: Uint8Array.from(kind),
    arg: Int32Array.from(arg),
    next: Int32Array.from(next),
    sets,
    assertions,
    branches,
    repetition: Int32Array.from(repetition),
    repetitions,
    ranks,
    familyCount,
    words: [...words],
  };
}
