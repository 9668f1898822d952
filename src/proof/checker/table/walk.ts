/** The walk over a frozen table, as expressions: what it still accepts from a state on. */
import { EVERYWHERE, type Expression, Expressions, NOWHERE } from "./expressions.ts";
import type { Maps } from "./maps.ts";

/** @param states of the expressions, as they are made. @returns what the walk accepts. */
export function walkOf(maps: Maps, states: Map<Expression, number>): Expression {
  const { start, accepted, acceptFrom, walkBytes, stops, next } = maps;
  const expressions = new Expressions();
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
  return come(start, 0);
}
