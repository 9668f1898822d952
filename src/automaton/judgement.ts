/**
 * A predicate, split into what a program can compare at once and what takes an automaton: sizes,
 * and how far into a payload the rest looks. `size < 1400 and starts_with "{"` would count to 1400
 * as an automaton; split, it is a comparison and three states.
 */
import type { Predicate } from "../policy/predicate.ts";
import { compilePredicate } from "./compile.ts";
import { DEAD, decide, type Decision, type Dfa, UNIVERSAL } from "./dfa.ts";

/** What a predicate comes to. A payload is accepted if all three agree. */
export interface Judgement {
  readonly dfa: Dfa;
  /** Bytes of a payload that the automaton looks at; null: all of them. */
  readonly horizon: number | null;
  /** Fewest and most bytes of a payload that is accepted; null: any number. */
  readonly leastSize: number;
  readonly mostSize: number | null;
}

/** @returns the judgement of an automaton that looks at whole payloads, of any size. */
export function wholePayload(dfa: Dfa): Judgement {
  return { dfa, horizon: null, leastSize: 0, mostSize: null };
}

/**
 * Splits where that loses nothing: every payload is judged as by the one automaton of the whole
 * predicate, and at the same byte.
 * @throws VeiError `diode-too-large`, as compilePredicate.
 */
export function judgePredicate(predicate: Predicate): Judgement {
  const { leastSize, mostSize, rest } = splitSizes(predicate);
  // What depends on no byte at all is nothing or everything, and its automaton says which.
  const horizon = (rest === null ? null : horizonOf(rest)) || null;
  if (leastSize === 0 && mostSize === null && horizon === null) {
    return wholePayload(compilePredicate(predicate));
  }
  const short = rest === null
    ? compilePredicate({ kind: "anything" })
    : compilePredicate(horizon === null ? rest : withoutBound(rest, horizon));
  const judgement = { dfa: short, horizon, leastSize, mostSize };
  return decidesInTime(judgement) ? judgement : wholePayload(compilePredicate(predicate));
}

/** @returns the decision on a payload, by the plain definition of a judgement. */
export function judge(judgement: Judgement, payload: Uint8Array): Decision {
  const { dfa, horizon, leastSize, mostSize } = judgement;
  const size = payload.length;
  const looked = Math.min(size, horizon ?? size, mostSize ?? size);
  const { accepted, offset } = decide(dfa, payload.subarray(0, looked));
  if (!accepted && offset < looked) return { accepted, offset };
  if (mostSize !== null && size > mostSize) return { accepted: false, offset: mostSize };
  if (!accepted || size < leastSize) return { accepted: false, offset: size };
  return { accepted, offset };
}

interface Sizes {
  leastSize: number;
  mostSize: number | null;
  /** What is left of the predicate; null: nothing. */
  rest: Predicate | null;
}

/** Takes the sizes out of a conjunction. */
function splitSizes(predicate: Predicate): Sizes {
  if (predicate.kind === "and") {
    const [left, right] = [splitSizes(predicate.left), splitSizes(predicate.right)];
    const most = [left.mostSize, right.mostSize].filter((size) => size !== null);
    return {
      leastSize: Math.max(left.leastSize, right.leastSize),
      mostSize: most.length === 0 ? null : Math.min(...most),
      rest: left.rest === null || right.rest === null
        ? left.rest ?? right.rest
        : { kind: "and", left: left.rest, right: right.rest },
    };
  }
  if (predicate.kind !== "size") return { leastSize: 0, mostSize: null, rest: predicate };
  const { comparison, bound } = predicate;
  const least = { ">": bound + 1, ">=": bound, "==": bound, "<": 0, "<=": 0 }[comparison];
  const most = { "<": bound - 1, "<=": bound, "==": bound, ">": null, ">=": null }[comparison];
  // No size is below 0: the automaton says so.
  if (most !== null && most < 0) return { leastSize: 0, mostSize: null, rest: predicate };
  return { leastSize: least, mostSize: most, rest: null };
}

/** @returns how many of a payload's first bytes a predicate depends on; null: on more than those. */
function horizonOf(predicate: Predicate): number | null {
  switch (predicate.kind) {
    case "contains":
    case "printable":
    case "all-in":
      return predicate.within;
    case "starts-with":
      return Math.max(...predicate.literals.map(({ length }) => length));
    case "not":
      return horizonOf(predicate.operand);
    case "and":
    case "or": {
      const [left, right] = [horizonOf(predicate.left), horizonOf(predicate.right)];
      return left === null || right === null ? null : Math.max(left, right);
    }
    default:
      return null;
  }
}

/** @returns a predicate that says of a payload's first `bytes` what the given one says of it all. */
function withoutBound(predicate: Predicate, bytes: number): Predicate {
  switch (predicate.kind) {
    case "contains":
    case "printable":
    case "all-in":
      return predicate.within === bytes ? { ...predicate, within: null } : predicate;
    case "not":
      return { kind: "not", operand: withoutBound(predicate.operand, bytes) };
    case "and":
    case "or":
      return {
        kind: predicate.kind,
        left: withoutBound(predicate.left, bytes),
        right: withoutBound(predicate.right, bytes),
      };
    default:
      return predicate;
  }
}

/** More steps than this are not taken to find out whether a split is exact. */
const MOST_STEPS = 20_000_000;

/**
 * Whether the short automaton is dead exactly when no continuation of the payload, of any size that
 * is accepted, would be: only then is the deciding byte the same as that of the long automaton.
 */
function decidesInTime({ dfa, horizon, leastSize, mostSize }: Judgement): boolean {
  const { stateCount, classCount, next, acceptFrom, start } = dfa;
  const last = Math.min(horizon ?? Infinity, mostSize ?? Infinity);
  const depth = last === Infinity ? leastSize : last;
  if (depth * stateCount * classCount > MOST_STEPS) return false;
  if (mostSize !== null && leastSize > mostSize) return false;

  const accepts = (state: number) => state === UNIVERSAL || state >= acceptFrom;
  const leadsTo = (state: number, to: Uint8Array) => {
    for (let i = state * classCount; i < (state + 1) * classCount; i++) {
      if (to[next[i]] === 1) return true;
    }
    return false;
  };
  // hopeful[k]: the states from which, k bytes into a payload, it may yet be accepted.
  const hopeful: Uint8Array[] = [];
  for (let k = depth; k >= 0; k--) {
    hopeful[k] = Uint8Array.from({ length: stateCount }, (_, state) => {
      if (k === depth && last === Infinity) return state === DEAD ? 0 : 1;
      // Beyond the horizon the state stays, and any further size will do.
      const enough = k >= leastSize || (k === depth && k === horizon);
      if (enough && accepts(state)) return 1;
      return k < depth && leadsTo(state, hopeful[k + 1]) ? 1 : 0;
    });
  }
  let reached = new Uint8Array(stateCount);
  reached[start] = 1;
  for (let k = 0; k <= depth; k++) {
    const further = new Uint8Array(stateCount);
    for (let state = 0; state < stateCount; state++) {
      if (reached[state] === 0 || state === DEAD) continue;
      if (hopeful[k][state] === 0) return false;
      for (let i = state * classCount; i < (state + 1) * classCount; i++) further[next[i]] = 1;
    }
    reached = further;
  }
  return true;
}
