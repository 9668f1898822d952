/** What can be compiled and is yet probably not meant. */
import type { Predicate } from "../policy/predicate.ts";
import { DEAD, type Dfa, UNIVERSAL } from "./dfa.ts";

/** @returns one line for each warning; none where the predicate says outright what it does. */
export function warningsOf(predicate: Predicate, dfa: Dfa): string[] {
  if (dfa.start === DEAD && predicate.kind !== "nothing") {
    return ["the predicate accepts no payload: the link would be closed (if so, say: nothing)"];
  }
  if (dfa.start === UNIVERSAL && predicate.kind !== "anything") {
    return ["the predicate accepts every payload: it stops nothing (if so, say: anything)"];
  }
  return [];
}
