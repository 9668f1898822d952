/** The automaton of each single predicate, and the bytes that it tells apart. */
import { type Comparison, type Predicate, PRINTABLE } from "../policy/predicate.ts";
import type { Rules } from "./explore.ts";

/** A predicate that is not a connective. */
export type Atom = Exclude<Predicate, { kind: "not" | "and" | "or" }>;

/** What an atom is to the builder. `rules` steps over bytes; its states are any integers. */
export interface AtomForm {
  /** Sets of bytes; the atom treats two bytes alike that are in the same of them. */
  readonly sets: readonly ((byte: number) => boolean)[];
  readonly rules: Rules;
}

const REJECT = -1;
const ACCEPT = -2;

/** @returns the form of an atom. */
export function atomForm(atom: Atom): AtomForm {
  switch (atom.kind) {
    case "contains":
      return { sets: singletons(atom.literal), rules: contains(atom.literal, atom.within) };
    case "size":
      return { sets: [], rules: size(atom.comparison, atom.bound) };
    case "starts-with":
      return { sets: atom.literals.flatMap(singletons), rules: startsWith(atom.literals) };
    case "printable":
      return { sets: [isPrintable], rules: all(isPrintable, atom.within) };
  }
}

function isPrintable(byte: number): boolean {
  return byte >= PRINTABLE.first && byte <= PRINTABLE.last;
}

function singletons(literal: Uint8Array): ((byte: number) => boolean)[] {
  return [...new Set(literal)].map((wanted) => (byte) => byte === wanted);
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
