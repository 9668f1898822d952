/**
 * A list of literal words as an automaton: subset construction over partial matches (Aho and
 * Corasick 1975, generalised to characters that can be written in several ways).
 */
import { Exit, VeiError } from "../base/errors.ts";
import { type GateAutomaton, NO_RULE } from "./automaton.ts";

export interface WordRule {
  readonly words: readonly string[];
  readonly ignoreCase: boolean;
}

const MAX_STATES = 200_000;

/** One node of the tries of all words: a part of a word, and how many bytes it took. */
interface Node {
  readonly edges: Map<number, Set<Node>>;
  readonly depth: number;
  readonly id: number;
  /** Least index of a rule that has a word ending here, or NO_RULE. */
  rule: number;
}

/**
 * @param rules in the order of the policy: where several are broken at the same byte, the first
 * is named.
 * @throws VeiError `policy-too-large`.
 */
export function compileWords(rules: readonly WordRule[]): GateAutomaton {
  const nodes: Node[] = [];
  const add = (depth: number): Node => {
    const node = { edges: new Map(), depth, id: nodes.length, rule: NO_RULE };
    nodes.push(node);
    return node;
  };
  const root = add(0);
  rules.forEach((rule, index) => {
    for (const word of rule.words) insert(root, word, rule.ignoreCase, index, add);
  });
  const { classOf, members } = byteClasses(nodes);
  return determinise(root, classOf, members);
}

function insert(
  root: Node,
  word: string,
  ignoreCase: boolean,
  rule: number,
  add: (depth: number) => Node,
): void {
  // Writings of one character may differ in length (ſ and s): a node for each length.
  let ends = new Map<number, Node>([[0, root]]);
  for (const character of word) {
    const following = new Map<number, Node>();
    for (const [depth, from] of ends) {
      for (const writing of writings(character, ignoreCase)) {
        const end = depth + writing.length;
        if (!following.has(end)) following.set(end, add(end));
        path(from, writing, following.get(end)!, add);
      }
    }
    ends = following;
  }
  for (const end of ends.values()) end.rule = rule;
}

function path(from: Node, bytes: Uint8Array, to: Node, add: (depth: number) => Node): void {
  let at = from;
  bytes.forEach((byte, i) => {
    const next = i === bytes.length - 1 ? to : add(at.depth + 1);
    const set = at.edges.get(byte) ?? new Set();
    set.add(next);
    at.edges.set(byte, set);
    at = next;
  });
}

/** @returns the UTF-8 forms of a character and, ignoring case, of all that fold to the same. */
function writings(character: string, ignoreCase: boolean): Uint8Array[] {
  const forms = new Set([character]);
  if (ignoreCase) {
    // The closure under case mappings of one character to one character, as RegExp's `iu` has it.
    for (const form of forms) {
      for (const other of [form.toLowerCase(), form.toUpperCase(), ...(FOLDED.get(form) ?? [])]) {
        if ([...other].length === 1) forms.add(other);
      }
    }
  }
  return [...forms].map((form) => new TextEncoder().encode(form));
}

/** Characters that fold onto others which map back to something else (Unicode CaseFolding C, S). */
const FOLDED = new Map<string, string[]>();
for (
  const group of [
    "s\u017f",
    "k\u212a",
    "\u00e5\u212b",
    "\u03c9\u2126",
    "βϐ",
    "εϵ",
    "θϑϴ",
    "ι\u0345\u1fbe",
    "κϰ",
    "\u00b5\u03bc",
    "πϖ",
    "ρϱ",
    "σς",
    "φϕ",
    "\u1e61\u1e9b",
    "ß\u1e9e",
  ]
) {
  const characters = [...group];
  for (const one of characters) FOLDED.set(one, characters);
}

/** Bytes that no word tells apart share a class. */
function byteClasses(nodes: Node[]): { classOf: Uint8Array<ArrayBuffer>; members: number[] } {
  const used = new Set<number>();
  for (const node of nodes) for (const byte of node.edges.keys()) used.add(byte);
  const classOf = new Uint8Array(256);
  // Class 0 holds every byte that occurs in no word, if there is one; -1 stands for it.
  const members = used.size < 256 ? [-1] : [];
  for (const byte of [...used].sort((a, b) => a - b)) {
    classOf[byte] = members.length;
    members.push(byte);
  }
  return { classOf, members };
}

function determinise(
  root: Node,
  classOf: Uint8Array<ArrayBuffer>,
  members: number[],
): GateAutomaton {
  const sets: Node[][] = [[root]];
  const numbers = new Map<string, number>([["0", 0]]);
  const next: number[] = [];
  for (let state = 0; state < sets.length; state++) {
    for (const byte of members) {
      const reached = new Set<Node>([root]);
      for (const node of sets[state]) {
        for (const to of node.edges.get(byte) ?? []) reached.add(to);
      }
      const set = [...reached].sort((a, b) => a.id - b.id);
      const key = set.map((node) => node.id).join(" ");
      let number = numbers.get(key);
      if (number === undefined) {
        number = sets.length;
        if (number >= MAX_STATES) throw tooLarge();
        numbers.set(key, number);
        sets.push(set);
      }
      next.push(number);
    }
  }
  const ending = sets.map((set) => set.filter((node) => node.rule !== NO_RULE));
  return {
    classOf,
    classCount: members.length,
    stateCount: sets.length,
    next: Int32Array.from(next, (state) => {
      const scaled = state * members.length;
      return ending[state].length > 0 ? ~scaled : scaled;
    }),
    // A node without edges cannot grow: it is a match, not a partial one.
    hold: Uint32Array.from(
      sets,
      (set) => Math.max(...set.map((node) => node.edges.size > 0 ? node.depth : 0)),
    ),
    rule: Int32Array.from(
      ending,
      (set) => set.length === 0 ? NO_RULE : Math.min(...set.map((node) => node.rule)),
    ),
    matched: Uint32Array.from(ending, (set) => Math.max(0, ...set.map((node) => node.depth))),
  };
}

function tooLarge(): VeiError {
  return new VeiError({
    code: "policy-too-large",
    message: `The words need more than ${MAX_STATES} states`,
    hint: "split the policy, or shorten its lists of words",
    exit: Exit.config,
  });
}
