/** Which of many predicates have room in one table of the kernel, all together. */
import type { Predicate } from "../policy/predicate.ts";
import { VeiError } from "../base/errors.ts";
import { type ByteAutomaton, combine, minimal } from "./byte_automaton.ts";
import { build, MOST_ENTRIES } from "./compile.ts";
import { TooManyStates } from "./explore.ts";

/**
 * At first those are taken that share states with what is there: together they are that much smaller
 * than side by side. Those that multiply its states come last, if there is room.
 */
const GROWTHS = [0.9, 1, Infinity];

/** A product may have so many times more states before it is made minimal. */
const BEFORE_MINIMAL = 2;

/** So many are tried; each takes some milliseconds. */
const MOST_TRIED = 128;

/** Why a predicate is not among those that fit. */
export type Misfit = "alone" | "together" | "untried";

/**
 * @param parts what is to be accepted by all of them; the same ones always give the same answer.
 * @returns of each part null where it is among those that fit, else why not: it is too large by
 * itself, or with those that are in, or was not tried any more.
 */
export function fitting(parts: readonly Predicate[]): (Misfit | null)[] {
  const misfits: (Misfit | null)[] = parts.map((_, i) => i < MOST_TRIED ? "together" : "untried");
  let sum: ByteAutomaton | null = null;
  const take = (i: number, automaton: ByteAutomaton, growth: number) => {
    const next: ByteAutomaton | null = sum === null ? automaton : product(sum, automaton, growth);
    if (next === null || entriesOf(next) > MOST_ENTRIES) return false;
    sum = next;
    misfits[i] = null;
    return true;
  };
  let left: { i: number; automaton: ByteAutomaton }[] = [];
  parts.slice(0, MOST_TRIED).forEach((part, i) => {
    const automaton = alone(part);
    if (automaton === null) misfits[i] = "alone";
    else left.push({ i, automaton });
  });
  // Small ones first: a large one that came first would leave no room for many of them.
  left.sort((a, b) => a.automaton.raw.stateCount - b.automaton.raw.stateCount);
  for (const growth of GROWTHS) {
    left = left.filter(({ i, automaton }) => !take(i, automaton, growth));
  }
  return misfits;
}

function alone(part: Predicate): ByteAutomaton | null {
  try {
    const automaton = minimal(build(part));
    return entriesOf(automaton) > MOST_ENTRIES ? null : automaton;
  } catch (error) {
    if (error instanceof VeiError && error.code === "diode-too-large") return null;
    throw error;
  }
}

/** @returns null where it is too large. */
function product(a: ByteAutomaton, b: ByteAutomaton, growth: number): ByteAutomaton | null {
  const states = growth * (a.raw.stateCount + b.raw.stateCount);
  try {
    const both = minimal(combine("and", a, b, BEFORE_MINIMAL * MOST_ENTRIES));
    return both.raw.stateCount > states ? null : both;
  } catch (error) {
    if (error instanceof TooManyStates) return null;
    throw error;
  }
}

/** @returns the table's entries at most: the kernel's has two states that may not be among these. */
function entriesOf({ raw }: ByteAutomaton): number {
  return (raw.stateCount + 2) * (1 + raw.classCount);
}
