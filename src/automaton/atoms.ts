/** The automaton of each single predicate. */
import { type ByteRange, type Comparison, type Predicate, PRINTABLE } from "../policy/predicate.ts";
import { readRegex } from "../policy/regex.ts";
import { JSON_SETS, jsonDepth, utf8 } from "./atoms_text.ts";
import { type ByteAutomaton, classesOfSets, fromRules } from "./byte_automaton.ts";
import type { Rules } from "./explore.ts";
import { compileRegex } from "./regex.ts";

/** A predicate that is not a connective. */
export type Atom = Exclude<Predicate, { kind: "not" | "and" | "or" }>;

const REJECT = -1;
const ACCEPT = -2;

/** @returns the automaton of an atom, not yet minimal. @throws TooManyStates, RegexTooLarge. */
export function atomAutomaton(atom: Atom): ByteAutomaton {
  const over = (sets: readonly ((byte: number) => boolean)[], rules: Rules) =>
    fromRules(rules, classesOfSets(sets));
  switch (atom.kind) {
    case "contains":
      return over(singletons(atom.literal), contains(atom.literal, atom.within));
    case "size":
      return over([], size(atom.comparison, atom.bound));
    case "json-depth":
      return over(JSON_SETS, jsonDepth(atom.comparison, atom.bound));
    case "starts-with":
      return over(singletons(...atom.literals), startsWith(atom.literals));
    case "printable":
      return over([isPrintable], all(isPrintable, atom.within));
    case "all-in": {
      const inSet = isIn(atom.ranges);
      return over([inSet], all(inSet, atom.within));
    }
    case "utf8": {
      const { rules, classOf } = utf8();
      return fromRules(rules, classOf);
    }
    case "matches":
      return compileRegex(readRegex(atom.source, atom.flags));
    case "anything":
      return over([], size(">=", 0));
    case "nothing":
      return over([], size("<", 0));
  }
}

function isIn(ranges: readonly ByteRange[]): (byte: number) => boolean {
  return (byte) => ranges.some(({ first, last }) => byte >= first && byte <= last);
}

function isPrintable(byte: number): boolean {
  return byte >= PRINTABLE.first && byte <= PRINTABLE.last;
}

/** @returns for each byte of the literals the set of just it. */
function singletons(...literals: readonly Uint8Array[]): ((byte: number) => boolean)[] {
  const bytes = new Set(literals.flatMap((literal) => [...literal]));
  return [...bytes].map((wanted) => (byte) => byte === wanted);
}

/** Knuth-Morris-Pratt; a state is the bytes seen (when they count) and how many now match. */
function contains(literal: Uint8Array, within: number | null): Rules {
  const m = literal.length;
  // failure[i]: length of the longest proper border of the first i bytes.
  const failure = [0, 0];
  for (let i = 1, border = 0; i < m; i++) {
    while (border > 0 && literal[i] !== literal[border]) border = failure[border];
    if (literal[i] === literal[border]) border++;
    failure.push(border);
  }
  return {
    start: within === 0 ? REJECT : 0,
    step(state, byte) {
      if (state < 0) return state;
      let matched = state % m;
      const seen = Math.floor(state / m) + 1;
      while (matched > 0 && literal[matched] !== byte) matched = failure[matched];
      if (literal[matched] === byte) matched++;
      if (matched === m) return ACCEPT;
      if (within === null) return matched;
      return seen === within ? REJECT : seen * m + matched;
    },
    accepts: (state) => state === ACCEPT,
  };
}

/** A state is the number of bytes seen, as far as it matters. */
function size(comparison: Comparison, bound: number): Rules {
  const holds: Record<Comparison, (seen: number) => boolean> = {
    "<": (seen) => seen < bound,
    "<=": (seen) => seen <= bound,
    ">": (seen) => seen > bound,
    ">=": (seen) => seen >= bound,
    "==": (seen) => seen === bound,
  };
  return {
    start: 0,
    step: (state) => Math.min(state + 1, bound + 1),
    accepts: holds[comparison],
  };
}

/** A state is a node of the literals' trie. */
function startsWith(literals: readonly Uint8Array[]): Rules {
  const trie: Map<number, number>[] = [new Map()];
  for (const literal of literals) {
    let node = 0;
    for (const byte of literal.subarray(0, -1)) {
      if (node === ACCEPT) break;
      let child = trie[node].get(byte);
      if (child === undefined) {
        child = trie.push(new Map()) - 1;
        trie[node].set(byte, child);
      }
      node = child;
    }
    if (node !== ACCEPT) trie[node].set(literal[literal.length - 1], ACCEPT);
  }
  return {
    start: 0,
    step: (state, byte) => state < 0 ? state : trie[state].get(byte) ?? REJECT,
    accepts: (state) => state === ACCEPT,
  };
}

/** Every byte, or every one of the first `within`, is in the set; a state is the bytes seen. */
function all(inSet: (byte: number) => boolean, within: number | null): Rules {
  return {
    start: within === 0 ? ACCEPT : 0,
    step(state, byte) {
      if (state < 0) return state;
      if (!inSet(byte)) return REJECT;
      if (within === null) return 0;
      return state + 1 === within ? ACCEPT : state + 1;
    },
    accepts: (state) => state !== REJECT,
  };
}
