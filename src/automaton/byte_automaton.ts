/** Automata over bytes, each with its own classes of bytes, and how they are combined. */
import { explore, type Raw, type Rules } from "./explore.ts";
import { minimise } from "./minimise.ts";

/** An automaton with the bytes that it tells apart. */
export interface ByteAutomaton {
  /** The class of each of the 256 bytes. */
  readonly classOf: Uint8Array<ArrayBuffer>;
  /** Complete; `raw.classCount` classes. */
  readonly raw: Raw;
}

/** Entries of an automaton's table while it is built: beyond it, it takes too long. */
const MOST_ENTRIES = 1_000_000;

/**
 * @param rules step over bytes, treating those of a class alike.
 * @param most entries of its table.
 * @returns their automaton, not yet minimal.
 * @throws TooManyStates.
 */
export function fromRules(
  rules: Rules,
  classOf: Uint8Array<ArrayBuffer>,
  most = MOST_ENTRIES,
): ByteAutomaton {
  const samples = samplesOf(classOf);
  const overClasses = {
    ...rules,
    step: (state: number, symbol: number) => rules.step(state, samples[symbol]),
  };
  const limit = Math.floor(most / samples.length);
  return { classOf, raw: explore(overClasses, samples.length, limit) };
}

/** @returns the automaton with the fewest states and classes that accepts the same. */
export function minimal({ classOf, raw }: ByteAutomaton): ByteAutomaton {
  return mergeClasses({ classOf, raw: minimise(raw) });
}

/** @returns the automaton that accepts what `automaton` does not. */
export function complement({ classOf, raw }: ByteAutomaton): ByteAutomaton {
  return { classOf, raw: { ...raw, accepting: raw.accepting.map((accepts) => 1 - accepts) } };
}

/**
 * @param most entries of its table.
 * @returns the automaton that accepts what both accept, or what either does; not yet minimal.
 * @throws TooManyStates.
 */
export function combine(
  operation: "and" | "or",
  left: ByteAutomaton,
  right: ByteAutomaton,
  most?: number,
): ByteAutomaton {
  const [a, b] = [left.raw, right.raw];
  const n = b.stateCount;
  const settling = operation === "and" ? 0 : 1;
  // Where one side has settled the matter, the other's state is no matter: both get the number -1.
  const settled = [a, b].map((raw) => settledStates(raw, settling));
  const join = (state: number, other: number) =>
    settled[0][state] || settled[1][other] ? -1 : state * n + other;
  return fromRules(
    {
      start: join(a.start, b.start),
      step(pair, byte) {
        if (pair < 0) return pair;
        const [state, other] = [Math.floor(pair / n), pair % n];
        return join(
          a.next[state * a.classCount + left.classOf[byte]],
          b.next[other * b.classCount + right.classOf[byte]],
        );
      },
      accepts(pair) {
        if (pair < 0) return settling === 1;
        const both = a.accepting[Math.floor(pair / n)] + b.accepting[pair % n];
        return operation === "and" ? both === 2 : both > 0;
      },
    },
    commonClasses(left.classOf, right.classOf),
    most,
  );
}

/** @returns for each state whether it is one that all bytes lead back to, accepting as asked. */
export function settledStates(raw: Raw, accepting: number): Uint8Array {
  const { classCount: k } = raw;
  return Uint8Array.from(raw.accepting, (accepts, state) => {
    if (accepts !== accepting) return 0;
    for (let symbol = 0; symbol < k; symbol++) {
      if (raw.next[state * k + symbol] !== state) return 0;
    }
    return 1;
  });
}

/** @returns the coarsest classes that tell apart what either tells apart. */
function commonClasses(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const numbers = new Map<number, number>();
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    const signature = a[byte] * 256 + b[byte];
    if (!numbers.has(signature)) numbers.set(signature, numbers.size);
    return numbers.get(signature)!;
  });
}

/** @returns the classes by sets of bytes: two bytes are of one class if in the same sets. */
export function classesOfSets(
  sets: readonly ((byte: number) => boolean)[],
): Uint8Array<ArrayBuffer> {
  let classOf: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  for (const inSet of sets) {
    classOf = commonClasses(classOf, Uint8Array.from(classOf, (_, byte) => inSet(byte) ? 1 : 0));
  }
  return classOf;
}

/** @returns one byte of each class. */
function samplesOf(classOf: Uint8Array): number[] {
  const samples: number[] = [];
  classOf.forEach((symbol, byte) => samples[symbol] ??= byte);
  return samples;
}

/** Makes classes that no state tells apart one. */
function mergeClasses({ classOf, raw }: ByteAutomaton): ByteAutomaton {
  const { classCount: k, stateCount: n, next } = raw;
  const columns = new Map<string, number>();
  const kept: number[] = [];
  // Numbered as the bytes go, so that equal automata have equal classes.
  const merged = new Map<number, number>();
  for (const symbol of classOf) {
    if (merged.has(symbol)) continue;
    const column = Array.from({ length: n }, (_, state) => next[state * k + symbol]).join();
    if (!columns.has(column)) columns.set(column, kept.push(symbol) - 1);
    merged.set(symbol, columns.get(column)!);
  }
  const narrow = new Uint32Array(n * kept.length);
  for (let state = 0; state < n; state++) {
    kept.forEach((symbol, i) => narrow[state * kept.length + i] = next[state * k + symbol]);
  }
  return {
    classOf: classOf.map((symbol) => merged.get(symbol)!),
    raw: { ...raw, classCount: kept.length, next: narrow },
  };
}
