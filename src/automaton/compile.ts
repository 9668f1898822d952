/** Predicate → the one minimal automaton, numbered as `dfa.ts` says. */
import { Exit, VeiError } from "../base/errors.ts";
import { formatPredicate, type Predicate } from "../policy/predicate.ts";
import { atomAutomaton } from "./atoms.ts";
import {
  type ByteAutomaton,
  combine,
  complement,
  minimal,
  settledStates,
} from "./byte_automaton.ts";
import { DEAD, type Dfa, UNIVERSAL } from "./dfa.ts";
import { TooManyStates } from "./explore.ts";
import { RegexTooLarge } from "./regex_nfa.ts";

/** Entries of the kernel's table, a row for each state: premultiplied states have 16 bits. */
export const MOST_ENTRIES = 65_536;

/**
 * @returns the minimal automaton of the predicate; the same one for every predicate that accepts
 * the same payloads.
 * @throws VeiError `diode-too-large`, saying which part grows.
 */
export function compilePredicate(predicate: Predicate): Dfa {
  const automaton = build(predicate);
  const connective = predicate.kind === "and" || predicate.kind === "or";
  const dfa = numbered(connective ? automaton : minimal(automaton));
  const { stateCount, classCount } = dfa;
  // A row has one entry more than there are classes: the kinds of bytes that leave the state.
  const entries = stateCount * (1 + classCount);
  if (entries > MOST_ENTRIES) {
    throw tooLarge(
      predicate,
      `its table has ${entries} entries (${stateCount} states, ${classCount} classes of bytes), ` +
        `and the kernel's has room for ${MOST_ENTRIES}`,
    );
  }
  return dfa;
}

/**
 * @returns an atom's automaton as it is, anything else's minimal: products grow fast.
 * @throws VeiError `diode-too-large`.
 */
export function build(predicate: Predicate): ByteAutomaton {
  try {
    switch (predicate.kind) {
      case "not":
        return complement(build(predicate.operand));
      case "and":
      case "or":
        return minimal(combine(predicate.kind, build(predicate.left), build(predicate.right)));
      default:
        return atomAutomaton(predicate);
    }
  } catch (error) {
    if (error instanceof TooManyStates) {
      throw tooLarge(predicate, "its automaton has too many states");
    }
    if (error instanceof RegexTooLarge) {
      throw tooLarge(
        predicate,
        `the part ${short(error.part.raw)} at column ${error.part.start + 1} of the expression ` +
          "multiplies its states",
        "after what may begin anywhere a count is costly: use a smaller one, tie the expression " +
          "to the beginning with ^, or make what is counted differ from what comes before",
      );
    }
    throw error;
  }
}

function tooLarge(
  part: Predicate,
  why: string,
  hint = "use smaller numbers after within and size and in repetitions, or fewer predicates " +
    "that count",
): VeiError {
  return new VeiError({
    code: "diode-too-large",
    message: `Cannot compile ${short(formatPredicate(part))}: ${why}`,
    hint,
    exit: Exit.config,
  });
}

function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)} …` : text;
}

/** Gives the states their places. */
function numbered({ classOf, raw }: ByteAutomaton): Dfa {
  const { classCount, stateCount: n, next, accepting } = raw;
  const dead = settledStates(raw, 0);
  const universal = settledStates(raw, 1);
  const ordinary: number[] = [];
  const number = new Int32Array(n);
  for (let state = 0; state < n; state++) {
    if (dead[state]) number[state] = DEAD;
    else if (universal[state]) number[state] = UNIVERSAL;
    else ordinary.push(state);
  }
  const rejecting = ordinary.filter((state) => accepting[state] === 0);
  const ordered = [...rejecting, ...ordinary.filter((state) => accepting[state] === 1)];
  ordered.forEach((state, i) => number[state] = i + 2);

  const stateCount = ordered.length + 2;
  const table = new Uint32Array(stateCount * classCount);
  table.fill(UNIVERSAL, UNIVERSAL * classCount, 2 * classCount);
  ordered.forEach((state, i) => {
    for (let symbol = 0; symbol < classCount; symbol++) {
      table[(i + 2) * classCount + symbol] = number[next[state * classCount + symbol]];
    }
  });
  return {
    classOf,
    classCount,
    stateCount,
    start: number[raw.start],
    acceptFrom: rejecting.length + 2,
    next: table,
  };
}
