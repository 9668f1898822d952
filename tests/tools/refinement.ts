/** The map from a monitor's automaton onto the minimal automaton of the same rules. */
import { atomAutomaton } from "../../src/automaton/atoms.ts";
import {
  type ByteAutomaton,
  combine,
  complement,
  fromRules,
  minimal,
  settledStates,
} from "../../src/automaton/byte_automaton.ts";
import { compilePredicate } from "../../src/automaton/compile.ts";
import { DEAD, type Dfa, UNIVERSAL } from "../../src/automaton/dfa.ts";
import { NONE } from "../../src/automaton/tagged.ts";
import type { TaggedBytes } from "../../src/automaton/tagged_bytes.ts";
import { VeiError } from "../../src/base/errors.ts";
import { type Charset, CHARSET_BYTES, type Policy } from "../../src/policy/policy.ts";
import type { Predicate } from "../../src/policy/predicate.ts";

const ANYTHING: Predicate = { kind: "anything" };

/**
 * @returns what a text has to be that keeps these rules of a policy, by their numbers, and the
 * charset; but for `utf-8`, as the predicate `utf8` is about packets, which are cut anywhere.
 */
function predicateOf(
  { forbid, require }: Policy,
  rules: readonly number[],
  charset: Charset,
): Predicate {
  const parts = rules.map((number): Predicate => {
    if (number < forbid.length) return { kind: "not", operand: occurs(forbid[number]) };
    const { what, ignoreCase } = require[number - forbid.length];
    if (what.kind === "json") throw new TypeError("JSON has no automaton");
    const { source, flags } = what.regex;
    return matches(`^(?:${source})$`, ignoreCase || flags.ignoreCase, flags.dotAll);
  });
  if (charset === "ascii" || charset === "printable") {
    const ranges = CHARSET_BYTES[charset].map(([first, last]) => ({ first, last }));
    parts.push({ kind: "all-in", ranges, within: null });
  }
  return balanced("and", parts);
}

function occurs({ match, ignoreCase }: Policy["forbid"][number]): Predicate {
  if (match.kind === "regex") {
    const { source, flags } = match.regex;
    return matches(source, ignoreCase || flags.ignoreCase, flags.dotAll);
  }
  return balanced(
    "or",
    match.words.map((word): Predicate => {
      if (!match.wholeWords && !ignoreCase) {
        return { kind: "contains", literal: new TextEncoder().encode(word), within: null };
      }
      const edge = (at: RegExp) => match.wholeWords && at.test(word) ? "\\b" : "";
      const literal = word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
      return matches(edge(/^\w/) + literal + edge(/\w$/), ignoreCase, false);
    }),
  );
}

function matches(source: string, ignoreCase: boolean, dotAll: boolean): Predicate {
  return { kind: "matches", source, flags: `${ignoreCase ? "i" : ""}${dotAll ? "s" : ""}u` };
}

/** As a tree of little depth: products of the small before products of the large. */
function balanced(kind: "and" | "or", parts: readonly Predicate[]): Predicate {
  if (parts.length === 0) return ANYTHING;
  if (parts.length === 1) return parts[0];
  const half = parts.length >> 1;
  return {
    kind,
    left: balanced(kind, parts.slice(0, half)),
    right: balanced(kind, parts.slice(half)),
  };
}

/** A minimal automaton, as far as the map needs it. */
interface Minimal {
  readonly start: number;
  step(state: number, byte: number): number;
  isDead(state: number): boolean;
  accepts(state: number): boolean;
}

/**
 * @returns the minimal automaton of rules of a policy; the kernel's, unless it is too large for its
 * table, or `charset` is "utf-8".
 */
export function minimalOf(
  policy: Policy,
  rules: readonly number[],
  charset: Charset,
): Minimal & { readonly forKernel: boolean } {
  const predicate = predicateOf(policy, rules, charset);
  if (charset === "utf-8") {
    const both = combine("and", build(predicate), wholeUtf8());
    return { ...ofBytes(minimal(both)), forKernel: false };
  }
  try {
    return { ...ofDfa(compilePredicate(predicate)), forKernel: true };
  } catch (error) {
    if (!(error instanceof VeiError) || error.code !== "diode-too-large") throw error;
    return { ...ofBytes(minimal(build(predicate))), forKernel: false };
  }
}

/** Unicode, table 3-7: by the first byte what may follow, until only 0x80 to 0xbf may. */
const LEADS: readonly [first: number, last: number, more: number, low: number, high: number][] = [
  [0xc2, 0xdf, 1, 0x80, 0xbf],
  [0xe0, 0xe0, 2, 0xa0, 0xbf],
  [0xe1, 0xec, 2, 0x80, 0xbf],
  [0xed, 0xed, 2, 0x80, 0x9f],
  [0xee, 0xef, 2, 0x80, 0xbf],
  [0xf0, 0xf0, 3, 0x90, 0xbf],
  [0xf1, 0xf3, 3, 0x80, 0xbf],
  [0xf4, 0xf4, 3, 0x80, 0x8f],
];

/** @returns the automaton of the texts that are valid UTF-8 from their beginning to their end. */
function wholeUtf8(): ByteAutomaton {
  // A state is how many bytes are wanted and the range of the next.
  const state = (more: number, low = 0x80, high = 0xbf) =>
    more === 0 ? 0 : (more * 256 + low) * 256 + high;
  return fromRules({
    start: 0,
    step(at, byte) {
      if (at < 0) return at;
      if (at > 0) {
        const [more, low, high] = [at >> 16, (at >> 8) & 0xff, at & 0xff];
        return byte < low || byte > high ? -1 : state(more - 1);
      }
      if (byte < 0x80) return 0;
      const lead = LEADS.find(([first, last]) => first <= byte && byte <= last);
      return lead === undefined ? -1 : state(lead[2], lead[3], lead[4]);
    },
    accepts: (at) => at === 0,
  }, Uint8Array.from({ length: 256 }, (_, byte) => byte));
}

function ofDfa({ classOf, classCount, next, start, acceptFrom }: Dfa): Minimal {
  return {
    start,
    step: (state, byte) => next[state * classCount + classOf[byte]],
    isDead: (state) => state === DEAD,
    accepts: (state) => state === UNIVERSAL || state >= acceptFrom,
  };
}

function ofBytes({ classOf, raw }: ByteAutomaton): Minimal {
  const dead = settledStates(raw, 0);
  return {
    start: raw.start,
    step: (state, byte) => raw.next[state * raw.classCount + classOf[byte]],
    isDead: (state) => dead[state] === 1,
    accepts: (state) => raw.accepting[state] === 1,
  };
}

function build(predicate: Predicate): ByteAutomaton {
  switch (predicate.kind) {
    case "not":
      return complement(build(predicate.operand));
    case "and":
    case "or":
      return minimal(combine(predicate.kind, build(predicate.left), build(predicate.right)));
    default:
      return atomAutomaton(predicate);
  }
}

/**
 * Walks both automata at once, over all bytes.
 * @returns of each state of the monitor's the one of the minimal automaton that it refines.
 * @throws Error where a state would have two, or where one automaton says that a byte, or the end,
 * is a violation and the other does not.
 */
export function refinementMap({ classOf, tagged }: TaggedBytes, onto: Minimal): Int32Array {
  const { classCount: k, stateCount, start, next, end } = tagged;
  const image = new Int32Array(stateCount).fill(-1);
  image[start] = onto.start;
  const waiting = [start];
  for (const state of waiting) { // which grows meanwhile
    const at = image[state];
    if ((end[state] === NONE) !== onto.accepts(at)) {
      throw new Error(`state ${state} and its image ${at}: not the same verdict at the end`);
    }
    for (let byte = 0; byte < 256; byte++) {
      const target = next[state * k + classOf[byte]];
      const beside = onto.step(at, byte);
      if ((target < 0) !== onto.isDead(beside)) {
        throw new Error(`state ${state} and its image ${at}: not the same verdict at byte ${byte}`);
      }
      if (target < 0) continue;
      if (image[target] < 0) {
        image[target] = beside;
        waiting.push(target);
      } else if (image[target] !== beside) {
        throw new Error(`state ${target} has two images, ${image[target]} and ${beside}`);
      }
    }
  }
  if (waiting.length !== stateCount) throw new Error("a state that cannot be reached");
  return image;
}
