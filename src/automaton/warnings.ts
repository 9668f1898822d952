/** What can be compiled and is yet probably not meant. */
import type { Predicate } from "../policy/predicate.ts";
import { DEAD, UNIVERSAL } from "./dfa.ts";
import type { Judgement } from "./judgement.ts";

/** @returns one line for each warning; none where the predicate says outright what it does. */
export function warningsOf(predicate: Predicate, judgement: Judgement): string[] {
  const { dfa, leastSize, mostSize } = judgement;
  if (dfa.start === DEAD && predicate.kind !== "nothing") {
    return ["the predicate accepts no payload: the link would be closed (if so, say: nothing)"];
  }
  const anySize = leastSize === 0 && mostSize === null;
  if (dfa.start === UNIVERSAL && anySize && predicate.kind !== "anything") {
    return ["the predicate accepts every payload: it stops nothing (if so, say: anything)"];
  }
  return [];
}
