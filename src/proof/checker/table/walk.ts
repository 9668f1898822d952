/** The walk over a frozen table, as expressions: what it still accepts from a state on. */
import { EVERYWHERE, type Expression, Expressions, NOWHERE } from "./expressions.ts";
import type { Maps } from "./maps.ts";

/** @returns what the walk accepts, of any size and `sized`, and each expression's state. */
export function walkOf(maps: Maps) {
  const { start, accepted, acceptFrom, walkBytes, stops, next } = maps;
  const expressions = new Expressions();
  const states = new Map<Expression, number>();
  const come = (to: number, walked: number): Expression => {
    const ends = to === accepted || to >= acceptFrom;
    const state = stops && walked === walkBytes ? ends ? accepted : 0 : to;
    // What was walked matters only where the walk may stop for it.
    const key = `state ${state} ${stops && state > accepted && walked}`;
    const step = (byte: number) => come(next(state, byte), walked + 1);
    const made = expressions.make(key, ends ? EVERYWHERE : NOWHERE, step);
    states.set(made, state);
    return made;
  };
  const walk = come(start, 0);
  const sizes = expressions.times(expressions.any, maps.leastSize, maps.mostSize);
  return { walk, sized: expressions.and(sizes, walk), states };
}
