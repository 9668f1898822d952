/** Rules → the one minimal tagged automaton that tells at which byte the first of them is broken. */
import type { ByteAutomaton } from "./byte_automaton.ts";
import { type RuleRegex, unionOf } from "./rules_nfa.ts";
import { NONE, type Tagged } from "./tagged.ts";
import { type CharsetRule, overBytesTagged, type TaggedBytes } from "./tagged_bytes.ts";
import { decidedEarly } from "./tagged_live.ts";
import { minimiseTagged } from "./tagged_minimise.ts";
import { withRequired } from "./tagged_product.ts";
import { type Budget, determiniseTagged } from "./tagged_subset.ts";

/** What the bytes have to keep, all at once. */
export interface RuleGroup {
  /** Expressions with flag u, none of which may match anywhere. */
  readonly forbidden: readonly RuleRegex[];
  readonly charset: CharsetRule | null;
  /** Automata of what the whole text must be, each minimal, with the numbers of their rules. */
  readonly required: readonly { readonly rule: number; readonly automaton: ByteAutomaton }[];
}

/**
 * @returns the automaton: a violation at the first byte after which a rule is broken whatever
 * follows, and registers for just the matches that may yet become a violation.
 * @param budget for so many states of the nondeterministic automaton; the largest, if left out.
 * @throws RegexTooLarge, TooManyStates, MatchesNothing.
 */
export function compileGroup(
  { forbidden, charset, required }: RuleGroup,
  budget?: (nfaStates: number) => Budget,
): TaggedBytes {
  const nfa = unionOf(forbidden);
  let bytes = overBytesTagged(determiniseTagged(nfa, budget?.(nfa.kind.length)), charset);
  for (const { rule, automaton } of required) bytes = withRequired(bytes, automaton, rule);
  return minimiseTagged({ classOf: bytes.classOf, tagged: decidedEarly(bytes.tagged) });
}

/**
 * @returns how many times more states the rule's automaton over characters has than its expression:
 * much more than one where a match may begin within another. Such rules multiply each other.
 * @throws RegexTooLarge, MatchesNothing.
 */
export function growthOf(rule: RuleRegex): number {
  const nfa = unionOf([rule]);
  return determiniseTagged(nfa).tagged.stateCount / nfa.kind.length;
}

/** @returns whether no text at all is allowed, the empty one included. */
export function forbidsEverything({ start, classCount: k, next, end }: Tagged): boolean {
  if (end[start] === NONE) return false;
  return next.subarray(start * k, (start + 1) * k).every((target) => target < 0);
}
