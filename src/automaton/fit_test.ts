import { assert, assertEquals } from "@std/assert";
import type { Predicate } from "../policy/predicate.ts";
import { compilePredicate } from "./compile.ts";
import { fitting } from "./fit.ts";

const not = (source: string): Predicate => ({
  kind: "not",
  operand: { kind: "matches", source, flags: "u" },
});

const both = (parts: readonly Predicate[]) =>
  compilePredicate(parts.reduce((left, right) => ({ kind: "and", left, right })));

/** Each must remember at which of the last places there was its letter: together they multiply. */
const counting = [..."abcdefgh"].map((letter, i) => not(`${letter}[a-z]{5}${i}`));

Deno.test("what fits is all of it, where there is room", () => {
  const parts = [not("hate"), not("\\bspite\\b"), { kind: "utf8" } as const];
  assertEquals(fitting(parts), [null, null, null]);
  assertEquals(fitting([]), []);
});

Deno.test("where there is not, those that multiply the others stay out, wherever they stand", () => {
  const cheap = ["hate", "spite", "malice"].map(not);
  const parts = [...counting, ...cheap];
  const misfits = fitting(parts);
  assertEquals(misfits.slice(-3), [null, null, null]);
  assertEquals(new Set(misfits), new Set([null, "together"]));
  // They have room indeed, and with the next one they would not.
  const taken = parts.filter((_, i) => misfits[i] === null);
  both(taken);
  const first = misfits.indexOf("together");
  let entries = Infinity;
  try {
    const { stateCount, classCount } = both([...taken, parts[first]]);
    entries = stateCount * (1 + classCount);
  } catch {
    // It is said in the way that it is to be: too large.
  }
  assert(entries > 30_000, `${entries}`);
  assertEquals(fitting(parts), misfits);
});

Deno.test("what is too large by itself is told from what only the others leave no room for", () => {
  assertEquals(fitting([not("a[ab]{20}c"), not("x")]), ["alone", null]);
});

Deno.test("beyond 128 parts none is tried", () => {
  const parts = Array.from({ length: 130 }, (_, i) => not(`word${i}`));
  assertEquals(fitting(parts).slice(127), [null, "untried", "untried"]);
});
