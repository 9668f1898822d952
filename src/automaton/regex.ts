/** Regular expression → automaton over bytes. */
import type { Regex } from "../policy/regex.ts";
import { type ByteAutomaton, fromRules, minimal, settledStates } from "./byte_automaton.ts";
import type { Raw } from "./explore.ts";
import { minimise } from "./minimise.ts";
import { thompson } from "./regex_nfa.ts";
import { type CharacterAutomaton, determinise } from "./regex_subset.ts";
import { BROKEN, type Decoder, decoderOf } from "./utf8.ts";

/**
 * @returns the minimal automaton of all byte strings in which the expression matches: it accepts
 * exactly when `new RegExp(source, flags).test(text)` would, of the text that
 * `new TextDecoder("utf-8", { ignoreBOM: true })` makes of the bytes. It is in the state that
 * accepts whatever follows from the first byte on after which there is surely a match.
 * @throws RegexTooLarge, TooManyStates.
 */
export function compileRegex(regex: Regex): ByteAutomaton {
  const { classes, raw } = determinise(thompson(regex));
  const characters = { classes, raw: minimise(raw) };
  return minimal(overBytes(characters, decoderOf(classes, !regex.flags.unicode)));
}

/** A state is one over characters together with a node of the decoder. */
function overBytes({ raw }: CharacterAutomaton, decoder: Decoder): ByteAutomaton {
  const { next, classOf, nodeCount, classCount, outputs, replacement } = decoder;
  const k = raw.classCount;
  const settled = [0, 1].map((accepting) => settledStates(raw, accepting));
  const alike = alikeWithin(raw, decoder);
  return fromRules(
    {
      start: raw.start * nodeCount,
      step(from, byte) {
        const symbol = classOf[byte];
        let state = Math.floor(from / nodeCount);
        const node = from % nodeCount;
        let entry = next[node * classCount + symbol];
        if (entry === BROKEN) {
          state = raw.next[state * k + replacement];
          // Within a character the byte begins another one; at its beginning it is itself broken.
          entry = node === 0 ? 0 : next[symbol];
          if (entry === BROKEN) {
            state = raw.next[state * k + replacement];
            entry = 0;
          }
        }
        if (entry < 0) {
          for (const output of outputs[-2 - entry]) state = raw.next[state * k + output];
          entry = 0;
        }
        if (settled[0][state] || settled[1][state] || entry === 0) return state * nodeCount;
        return alike[state] * nodeCount + entry;
      },
      accepts(at) {
        const state = Math.floor(at / nodeCount);
        // A character that is broken off by the payload's end is one U+FFFD.
        return raw.accepting[at % nodeCount === 0 ? state : raw.next[state * k + replacement]] ===
          1;
      },
    },
    decoder.classOf,
  );
}

/**
 * @returns for each state the first that all characters of several bytes, and broken ones, lead on
 * just as they lead it on: within a character the two are one. Of a thousand words' states that
 * leaves a few.
 */
function alikeWithin({ classCount: k, stateCount, next }: Raw, decoder: Decoder): Int32Array {
  const { next: entries, classCount, nodeCount, outputs, replacement } = decoder;
  const symbols = new Set([replacement]);
  for (let i = classCount; i < nodeCount * classCount; i++) {
    if (entries[i] < BROKEN) symbols.add(outputs[-2 - entries[i]][0]);
  }
  const first = new Map<string, number>();
  return Int32Array.from({ length: stateCount }, (_, state) => {
    const row = Array.from(symbols, (symbol) => next[state * k + symbol]).join();
    if (!first.has(row)) first.set(row, state);
    return first.get(row)!;
  });
}
