/**
 * Which bytes leave which states where they are. Most bytes of most payloads do, and to see that
 * takes no walk from state to state: the program asks of eight bytes, one beside the other, whether
 * the state is restless under their kinds. Only what is not calm is looked up in the table.
 *
 * Bytes have at most eight kinds, a bit each; a state is restless under a kind if one of its bytes
 * leads elsewhere. So a byte whose kind is not among a state's restless ones keeps it there, and
 * that alone is what the program relies on.
 */
import type { Dfa } from "../automaton/dfa.ts";

const KINDS = 8;

export interface ByteKinds {
  /** One bit for each class of bytes. */
  readonly kindOfClass: Uint8Array;
  /** For each state, the kinds that may lead elsewhere. */
  readonly restless: Uint8Array;
}

/** @returns kinds for an automaton: classes that keep the same states are one kind. */
export function byteKinds(dfa: Dfa): ByteKinds {
  const groups = groupClasses(dfa);
  const kindOfClass = new Uint8Array(dfa.classCount);
  groups.forEach((classes, i) => classes.forEach((symbol) => kindOfClass[symbol] = 1 << i));
  const restless = new Uint8Array(dfa.stateCount);
  for (let state = 0; state < dfa.stateCount; state++) {
    for (let symbol = 0; symbol < dfa.classCount; symbol++) {
      if (!keeps(dfa, state, symbol)) restless[state] |= kindOfClass[symbol];
    }
  }
  return { kindOfClass, restless };
}

const keeps = ({ next, classCount }: Dfa, state: number, symbol: number) =>
  next[state * classCount + symbol] === state;

/** Classes by the states that they keep; the least useful groups are one, so that 8 remain. */
function groupClasses(dfa: Dfa): number[][] {
  const groups = new Map<string, { classes: number[]; use: number }>();
  const bytesOf = new Uint16Array(dfa.classCount);
  for (const symbol of dfa.classOf) bytesOf[symbol]++;
  for (let symbol = 0; symbol < dfa.classCount; symbol++) {
    const kept: number[] = [];
    // The two decided states keep everything: they tell nothing.
    for (let state = 2; state < dfa.stateCount; state++) {
      if (keeps(dfa, state, symbol)) kept.push(state);
    }
    const key = kept.join();
    const group = groups.get(key) ?? { classes: [], use: 0 };
    groups.set(key, group);
    group.classes.push(symbol);
    group.use += bytesOf[symbol] * kept.length;
  }
  const sorted = [...groups.values()].sort((a, b) => b.use - a.use).map(({ classes }) => classes);
  return [...sorted.slice(0, KINDS - 1), sorted.slice(KINDS - 1).flat()]
    .filter((classes) => classes.length > 0);
}
