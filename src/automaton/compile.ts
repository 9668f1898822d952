/** Predicate → the one minimal automaton, numbered as `dfa.ts` says. */
import { Exit, VeiError } from "../base/errors.ts";
import { formatPredicate, type Predicate } from "../policy/predicate.ts";
import { atomForm } from "./atoms.ts";
import type { AtomForm } from "./atoms.ts";
import { DEAD, type Dfa, UNIVERSAL } from "./dfa.ts";
import { complement, explore, product, type Raw, TooManyStates } from "./explore.ts";
import { minimise } from "./minimise.ts";

/** Entries of the kernel's table, states times byte classes: premultiplied states have 16 bits. */
export const MOST_ENTRIES = 65_536;

/** States while building, before minimisation; beyond it a predicate takes too long to compile. */
const MOST_STATES = 150_000;

/**
 * @returns the minimal automaton of the predicate; the same one for every predicate that accepts
 * the same payloads.
 * @throws VeiError `diode-too-large`, saying which part grows.
 */
export function compilePredicate(predicate: Predicate): Dfa {
  const { classOf, samples } = byteClasses(predicate);
  const dfa = numbered(build(predicate, samples), classOf);
  if (dfa.stateCount * dfa.classCount > MOST_ENTRIES) throw tooLarge(predicate);
  return dfa;
}

function build(predicate: Predicate, samples: readonly number[]): Raw {
  try {
    switch (predicate.kind) {
      case "not":
        return complement(build(predicate.operand, samples));
      case "and":
      case "or": {
        const combine = predicate.kind === "and"
          ? (a: boolean, b: boolean) => a && b
          : (a: boolean, b: boolean) => a || b;
        const [left, right] = [build(predicate.left, samples), build(predicate.right, samples)];
        return minimise(product(left, right, combine, MOST_STATES));
      }
      default: {
        const { rules } = atomForm(predicate);
        const step = (state: number, symbol: number) => rules.step(state, samples[symbol]);
        return minimise(explore({ ...rules, step }, samples.length, MOST_STATES));
      }
    }
  } catch (error) {
    throw error instanceof TooManyStates ? tooLarge(predicate) : error;
  }
}

function tooLarge(part: Predicate): VeiError {
  const text = formatPredicate(part);
  return new VeiError({
    code: "diode-too-large",
    message: `Cannot compile ${text.length > 200 ? text.slice(0, 200) + " …" : text}: ` +
      `its automaton needs more than ${MOST_ENTRIES} table entries`,
    hint: "use smaller numbers after within and size, or fewer predicates that count bytes",
    exit: Exit.config,
  });
}

/** @returns the coarsest classes that no atom needs split, and one byte of each. */
function byteClasses(predicate: Predicate): { classOf: Uint8Array; samples: number[] } {
  const classOf = new Uint8Array(256);
  let samples = [0];
  for (const { sets } of atoms(predicate)) {
    for (const inSet of sets) {
      const numbers = new Map<number, number>();
      samples = [];
      for (let byte = 0; byte < 256; byte++) {
        const signature = classOf[byte] * 2 + (inSet(byte) ? 1 : 0);
        if (!numbers.has(signature)) numbers.set(signature, samples.push(byte) - 1);
        classOf[byte] = numbers.get(signature)!;
      }
    }
  }
  return { classOf, samples };
}

function* atoms(predicate: Predicate): Generator<AtomForm> {
  switch (predicate.kind) {
    case "not":
      return yield* atoms(predicate.operand);
    case "and":
    case "or":
      yield* atoms(predicate.left);
      return yield* atoms(predicate.right);
    default:
      yield atomForm(predicate);
  }
}

/** Merges classes that no state tells apart and gives the states their places. */
function numbered(raw: Raw, classOf: Uint8Array): Dfa {
  const { classCount: k, stateCount: n, next, accepting } = raw;
  const columns = new Map<string, number>();
  const kept: number[] = [];
  const merged = Array.from({ length: k }, (_, symbol) => {
    const column = Array.from({ length: n }, (_, state) => next[state * k + symbol]).join();
    if (!columns.has(column)) columns.set(column, kept.push(symbol) - 1);
    return columns.get(column)!;
  });

  const absorbing = (state: number, accepts: number) =>
    accepting[state] === accepts && kept.every((symbol) => next[state * k + symbol] === state);
  const ordinary: number[] = [];
  const number = new Int32Array(n);
  for (let state = 0; state < n; state++) {
    if (absorbing(state, 0)) number[state] = DEAD;
    else if (absorbing(state, 1)) number[state] = UNIVERSAL;
    else ordinary.push(state);
  }
  const rejecting = ordinary.filter((state) => accepting[state] === 0);
  const ordered = [...rejecting, ...ordinary.filter((state) => accepting[state] === 1)];
  ordered.forEach((state, i) => number[state] = i + 2);

  const classCount = kept.length;
  const stateCount = ordered.length + 2;
  const table = new Uint32Array(stateCount * classCount);
  table.fill(UNIVERSAL, UNIVERSAL * classCount, 2 * classCount);
  ordered.forEach((state, i) =>
    kept.forEach((symbol, c) => {
      table[(i + 2) * classCount + c] = number[next[state * k + symbol]];
    })
  );
  return {
    classOf: Uint8Array.from(classOf, (symbol) => merged[symbol]),
    classCount,
    stateCount,
    start: number[raw.start],
    acceptFrom: rejecting.length + 2,
    next: table,
  };
}
