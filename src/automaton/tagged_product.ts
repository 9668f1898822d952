/** A tagged automaton that also watches over a rule that the whole text must keep. */
import { type ByteAutomaton, classesOfSets, settledStates } from "./byte_automaton.ts";
import { TooManyStates } from "./explore.ts";
import { both, type Broken, END, NEW, TaggedBuilder } from "./tagged.ts";
import type { TaggedBytes } from "./tagged_bytes.ts";

/** As over bytes alone. */
const MOST_ENTRIES = 800_000;

/**
 * @param required minimal; the rule is broken by the byte after which no text is accepted any more,
 * or by the end of a text that is not accepted.
 * @throws TooManyStates.
 */
export function withRequired(
  { classOf, tagged }: TaggedBytes,
  required: ByteAutomaton,
  rule: number,
): TaggedBytes {
  const { raw } = required;
  const dead = settledStates(raw, 0);
  const common = classesOfSets([
    ...setsOf(classOf),
    ...setsOf(required.classOf),
  ]);
  const samples: number[] = [];
  common.forEach((symbol, byte) => samples[symbol] ??= byte);
  const builder = new TaggedBuilder(samples.length);
  const numbers = new Map<number, number>();
  const pairs: number[] = [];
  const numberOf = (state: number, other: number) => {
    const key = state * raw.stateCount + other;
    if (!numbers.has(key)) numbers.set(key, pairs.push(key) - 1);
    return numbers.get(key)!;
  };
  const opNumbers = builder.opNumbersOf(tagged);
  numberOf(tagged.start, raw.start);
  for (let at = 0; at < pairs.length; at++) {
    const state = Math.floor(pairs[at] / raw.stateCount);
    const other = pairs[at] % raw.stateCount;
    const ended = tagged.end[state] < 0 ? null : tagged.broken[tagged.end[state]];
    const lacking = raw.accepting[other] === 1 ? null : { rule, start: END };
    builder.state(tagged.registers[state], both(ended, lacking));
    for (const byte of samples) {
      const entry = state * tagged.classCount + classOf[byte];
      const target = tagged.next[entry];
      const beside = raw.next[other * raw.classCount + required.classOf[byte]];
      let broken: Broken | null = target < 0 ? tagged.broken[~target] : null;
      if (dead[beside]) broken = both(broken, { rule, start: NEW });
      if (broken !== null) builder.violation(broken);
      else builder.stepBy(numberOf(target, beside), opNumbers[tagged.op[entry]]);
    }
    if (pairs.length * samples.length > MOST_ENTRIES) throw new TooManyStates();
  }
  return { classOf: common, tagged: builder.build() };
}

function setsOf(classOf: Uint8Array): ((byte: number) => boolean)[] {
  return [...new Set(classOf)].map((symbol) => (byte: number) => classOf[byte] === symbol);
}
