/** What predicates are compiled to, against their meaning evaluated directly. */
import { assert, assertEquals, fail } from "@std/assert";
import { judge, judgePredicate } from "../../src/automaton/judgement.ts";
import { VeiError } from "../../src/base/errors.ts";
import { compilePredicate } from "../../src/automaton/compile.ts";
import { decide } from "../../src/automaton/dfa.ts";
import { hex, unhex } from "../../src/base/bytes.ts";
import { parsePredicate } from "../../src/policy/parse.ts";
import { formatPredicate, type Predicate } from "../../src/policy/predicate.ts";
import { wholeFile } from "../../src/policy/source.ts";
import { MOST_PAYLOAD, Payloads } from "./payloads.ts";
import { accepts } from "./predicate.ts";
import { type Random, seeded } from "./random.ts";
import { anyPredicate, WHOLE } from "./random_predicate.ts";

/** @returns null where the predicate has too many states and says so. */
function unlessTooLarge<T>(compile: () => T): T | null {
  try {
    return compile();
  } catch (error) {
    if (error instanceof VeiError && error.code === "diode-too-large") return null;
    throw error;
  }
}

const kinds = (predicate: Predicate): string[] =>
  predicate.kind === "not"
    ? ["not", ...kinds(predicate.operand)]
    : predicate.kind === "and" || predicate.kind === "or"
    ? [predicate.kind, ...kinds(predicate.left), ...kinds(predicate.right)]
    : [predicate.kind];

/** @returns a payload that goes on where the decision was made, in some other way. */
function otherwise(random: Random, payload: Uint8Array, decided: number): Uint8Array {
  const tail = random.once(2) ? random.bytes(random.below(20)) : payload.subarray(decided + 1);
  const other = new Uint8Array(decided + 1 + tail.length);
  other.set(payload.subarray(0, decided + 1));
  other.set(tail.map((byte) => random.once(3) ? random.below(256) : byte), decided + 1);
  return other;
}

Deno.test("2,000 random predicates: 100,000 payloads are judged as by direct evaluation", () => {
  const random = seeded(41);
  const buffer = new Uint8Array(MOST_PAYLOAD);
  const seen = new Map<string, number>();
  let [tooLarge, accepted, judged] = [0, 0, 0];
  for (let done = 0; done < 2000;) {
    const predicate = anyPredicate(random, 3, WHOLE);
    const judgement = unlessTooLarge(() => judgePredicate(predicate));
    if (judgement === null) {
      tooLarge++;
      continue;
    }
    done++;
    for (const kind of new Set(kinds(predicate))) seen.set(kind, (seen.get(kind) ?? 0) + 1);
    // The byte that decides is the one automaton's, also where sizes and a bound are split off.
    const { horizon, leastSize, mostSize } = judgement;
    const split = horizon !== null || leastSize > 0 || mostSize !== null;
    const whole = split ? unlessTooLarge(() => compilePredicate(predicate)) : judgement.dfa;
    const payloads = new Payloads(random, predicate);
    for (let i = 0; i < 50; i++) {
      const payload = buffer.subarray(0, payloads.fill(buffer));
      const wanted = accepts(predicate, payload);
      const found = judge(judgement, payload);
      const what = () => `${formatPredicate(predicate)} on ${hex(payload)}`;
      if (found.accepted !== wanted) fail(`${found.accepted}, not ${wanted}: ${what()}`);
      judged++;
      if (!wanted && whole !== null && found.offset !== decide(whole, payload).offset) {
        fail(`offset ${found.offset}: ${what()}`);
      }
      if (wanted) accepted++;
      else if (found.offset < payload.length && i % 4 === 0) {
        const other = otherwise(random, payload, found.offset);
        if (accepts(predicate, other)) fail(`not decided at ${found.offset}: ${what()}`);
      }
    }
  }
  assert(tooLarge < 100, `${tooLarge} are too large`);
  assert(accepted > judged / 4 && accepted < judged * 3 / 4, `${accepted} of ${judged} accepted`);
  for (const kind of ["contains", "size", "json-depth", "starts-with", "printable", "all-in"]) {
    assert((seen.get(kind) ?? 0) >= 100, `${kind}: ${seen.get(kind)}`);
  }
  for (const kind of ["utf8", "anything", "nothing", "matches", "not", "and", "or"]) {
    assert((seen.get(kind) ?? 0) >= 50, `${kind}: ${seen.get(kind)}`);
  }
});

/** Each row is a sentence, or half of one, of `diodes/README.md`. */
const SAID: [predicate: string, accepted: string[], refused: string[]][] = [
  ["utf8", ["e282", "82ac21", "", "808080", "f1808080", "80808041"], [
    ...["c0", "e080", "eda0", "f490", "6180", "80808080", "ff", "c1", "f5"],
  ]],
  ["json_depth == 0", ["", "31", "7d7d", "2222"], ["7b"]],
  ["json_depth == 1", ["7b7d", "7d7b"], ["", "5b5b"]],
  // [{"a":"]["}]
  ["json_depth == 2", ["5b7b2261223a225d5b227d5d"], ["5b5d5b5d"]],
  ["size < 2", ["", "00"], ["0000"]],
  ['starts_with "ab"', ["6162", "616263"], ["", "61", "6261"]],
  ['contains "ab" within 3', ["6162", "786162"], ["", "78786162", "61"]],
  ["all printable within 2", ["", "20", "207e", "207e00"], ["1f", "207f"]],
  ['all in [9, "a".."c"] within 2', ["", "09", "6163", "616364"], ["64", "0964"]],
  // One U+FFFD for each longest piece of a character.
  ["matches /^\\ufffd$/", ["e282", "80", "efbfbd", "f09f98"], ["", "e08080", "c0af"]],
  ["matches /^.$/", ["41", "e282ac", "ff"], ["f09f9880", "0a", ""]],
  ["matches /^.$/u", ["41", "f09f9880"], ["0a"]],
  ["matches /\\xff/", ["c3bf"], ["ff"]],
];

Deno.test("the manual's own examples: judge and judgement", () => {
  for (const [text, accepted, refused] of SAID) {
    const predicate = parsePredicate(wholeFile(text, "manual"));
    const judgement = judgePredicate(predicate);
    for (const [payloads, wanted] of [[accepted, true], [refused, false]] as const) {
      for (const payload of payloads) {
        const bytes = unhex(payload);
        const verdicts = [accepts(predicate, bytes), judge(judgement, bytes).accepted];
        assertEquals([text, payload, verdicts], [text, payload, [wanted, wanted]]);
      }
    }
  }
});
