/** The tagged automaton with the fewest states and classes that says the same. */
import { type Partition, refine } from "./minimise.ts";
import { type Tagged, TaggedBuilder } from "./tagged.ts";
import type { TaggedBytes } from "./tagged_bytes.ts";

/** States are one if they do the same with their registers and lead to states that are one. */
export function minimiseTagged({ classOf, tagged }: TaggedBytes): TaggedBytes {
  return mergeClasses({ classOf, tagged: mergeStates(tagged) });
}

function mergeStates(tagged: Tagged): Tagged {
  const { classCount: k, stateCount: n, next, op, end, broken, registers } = tagged;
  // What a state does, wherever it leads to; violations lead nowhere, so one state stands for all.
  const kinds = new Map<string, number>();
  const kind = Int32Array.from({ length: n }, (_, state) => {
    const row: number[] = [registers[state], end[state]];
    for (let entry = state * k; entry < (state + 1) * k; entry++) {
      row.push(next[entry] < 0 ? next[entry] : op[entry]);
    }
    const key = row.join();
    if (!kinds.has(key)) kinds.set(key, kinds.size);
    return kinds.get(key)!;
  });
  const targets = Uint32Array.from(next, (target) => target < 0 ? 0 : target);
  const blocks: Partition = refine(k, targets, kind);
  const number = new Int32Array(blocks.count).fill(-1);
  const representatives: number[] = [];
  for (let state = 0; state < n; state++) {
    const block = blocks.of(state);
    if (number[block] >= 0) continue;
    number[block] = representatives.push(state) - 1;
  }
  const builder = new TaggedBuilder(k);
  const numbers = builder.opNumbersOf(tagged);
  for (const state of representatives) {
    builder.state(registers[state], end[state] < 0 ? null : broken[end[state]]);
    for (let entry = state * k; entry < (state + 1) * k; entry++) {
      if (next[entry] < 0) builder.violation(broken[~next[entry]]);
      else builder.stepBy(number[blocks.of(next[entry])], numbers[op[entry]]);
    }
  }
  return builder.build(number[blocks.of(tagged.start)]);
}

/** Makes classes that no state tells apart one. */
function mergeClasses({ classOf, tagged }: TaggedBytes): TaggedBytes {
  const { classCount: k, stateCount: n, next, op, end, broken, registers } = tagged;
  const columns = new Map<string, number>();
  const kept: number[] = [];
  const merged = new Map<number, number>();
  for (const symbol of classOf) {
    if (merged.has(symbol)) continue;
    const parts: number[] = [];
    for (let entry = symbol; entry < n * k; entry += k) {
      parts.push(next[entry], next[entry] < 0 ? 0 : op[entry]);
    }
    const column = parts.join();
    if (!columns.has(column)) columns.set(column, kept.push(symbol) - 1);
    merged.set(symbol, columns.get(column)!);
  }
  const builder = new TaggedBuilder(kept.length);
  const numbers = builder.opNumbersOf(tagged);
  for (let state = 0; state < n; state++) {
    builder.state(registers[state], end[state] < 0 ? null : broken[end[state]]);
    for (const symbol of kept) {
      const entry = state * k + symbol;
      if (next[entry] < 0) builder.violation(broken[~next[entry]]);
      else builder.stepBy(next[entry], numbers[op[entry]]);
    }
  }
  return {
    classOf: classOf.map((symbol) => merged.get(symbol)!),
    tagged: builder.build(tagged.start),
  };
}
