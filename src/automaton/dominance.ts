/**
 * Which of two matches under way makes the other needless: where one completes no later than the
 * other, whatever follows, only the one counts. Without this the automata of counted expressions,
 * which may begin within each other, multiply.
 */
import { CHARACTER } from "./regex_nfa.ts";
import type { RulesNfa } from "./rules_nfa.ts";

/** Where a state leads by a character: to threads, and to the match of a rule. */
export interface Reached {
  readonly threads: Int32Array;
  readonly rule: number;
}

/** No rule: greater than any. */
export const NO_RULE = 1 << 30;

/**
 * A chain of so many steps is not followed further: the answer is no, which is always safe. Five
 * times as many calls are on the stack.
 */
const MOST_DEPTH = 400;

/** So often it is asked at most, and so many answers are kept: a second or two, and 40 MB. */
const MOST_QUESTIONS = 12_000_000;
const MOST_KNOWN = 400_000;

/** Thrown where comparing takes too long. */
export class TooManyComparisons extends Error {}

/**
 * A simulation between the states of a nondeterministic automaton. It may say no where yes would be
 * right; a yes is certain.
 */
export class Dominance {
  private readonly known = new Map<number, boolean>();
  /** Of each pair of sets whether the one is within the other: 0 not known yet, else 1 no, 2 yes. */
  private readonly subsets: Uint8Array;
  private readonly bitsOf = new Map<number, number[]>();
  /** How many pairs were compared. */
  work = 0;
  private questions = 0;

  /**
   * @param contains of each set its classes of characters.
   * @param bits of each class, what a character of it is as the one before a place.
   * @param closure where a state leads to when the character before has these bits.
   */
  constructor(
    private readonly nfa: RulesNfa,
    private readonly contains: readonly Uint8Array[],
    private readonly bits: Uint8Array,
    private readonly closure: (state: number, before: number) => Reached,
  ) {
    this.subsets = new Uint8Array(contains.length ** 2);
  }

  /**
   * @returns whether on every text by which `other` comes to a match, `one` has come to it.
   * @throws TooManyComparisons.
   */
  of(one: number, other: number, depth = 0): boolean {
    if (one === other) return true;
    if (++this.questions > MOST_QUESTIONS) throw new TooManyComparisons();
    const { kind, arg } = this.nfa;
    if (kind[one] !== CHARACTER || kind[other] !== CHARACTER) return false;
    if (!this.isSubset(arg[other], arg[one])) return false;
    const key = one * kind.length + other;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (depth > MOST_DEPTH) return false;
    this.work++;
    if (this.known.size > MOST_KNOWN) throw new TooManyComparisons();
    // While it is being asked for, as within a loop: no.
    this.known.set(key, false);
    const answer = this.bitsIn(arg[other])
      .every((before) => this.after(one, other, before, depth));
    if (answer) this.known.set(key, true);
    return answer;
  }

  private after(one: number, other: number, before: number, depth: number): boolean {
    const { next } = this.nfa;
    const mine = this.closure(next[one], before);
    const its = this.closure(next[other], before);
    // Where both match the rule that is named must be the same as if both were there.
    if (mine.rule !== NO_RULE) return its.rule === NO_RULE || mine.rule <= its.rule;
    if (its.rule !== NO_RULE) return false;
    return its.threads.every((thread) =>
      mine.threads.some((beside) => this.of(beside, thread, depth + 1))
    );
  }

  private isSubset(inner: number, outer: number): boolean {
    const key = inner * this.contains.length + outer;
    if (this.subsets[key] === 0) {
      const around = this.contains[outer];
      const within = this.contains[inner]
        .every((inside, symbol) => inside === 0 || around[symbol] === 1);
      this.subsets[key] = within ? 2 : 1;
    }
    return this.subsets[key] === 2;
  }

  /** What characters of a set are as those before a place. */
  private bitsIn(set: number): number[] {
    let found = this.bitsOf.get(set);
    if (found === undefined) {
      const all = new Set<number>();
      this.contains[set].forEach((inside, symbol) => inside === 1 && all.add(this.bits[symbol]));
      this.bitsOf.set(set, found = [...all]);
    }
    return found;
  }
}
