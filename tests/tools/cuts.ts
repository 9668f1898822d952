/** A content in pieces: what the monitor makes of it must not depend on how it was cut. */
import { Monitor, type MonitorProgram, type Violation } from "../../src/gate/monitor.ts";
import type { JudgedPolicy } from "../judge/gate.ts";
import { type Random, seeded } from "../judge/random.ts";
import { compiled, regex } from "./judged_policies.ts";

export interface Outcome {
  /** So many of the content's first bytes were released. */
  readonly released: number;
  readonly violation: Violation | null;
}

/**
 * @param ends where pieces end, ascending; the last one ends with the content.
 * @throws Error where what is released is not the content.
 */
export function inPieces(
  program: MonitorProgram,
  content: Uint8Array,
  ends: Iterable<number>,
): Outcome {
  const monitor = new Monitor(program);
  let released = 0;
  const count = (bytes: Uint8Array) => {
    for (const byte of bytes) {
      if (byte !== content[released++]) throw new Error("what is released is not the content");
    }
  };
  let from = 0;
  const push = (end: number) => {
    const step = monitor.push(content.subarray(from, end));
    from = end;
    count(step.released);
    return step.violation;
  };
  for (const end of ends) {
    const violation = push(end);
    if (violation !== null) return { released, violation };
  }
  const last = push(content.length);
  if (last !== null) return { released, violation: last };
  const step = monitor.end();
  count(step.released);
  return { released, violation: step.violation };
}

/** @throws Error naming the cut, where it made a difference. */
export function compareCut(
  program: MonitorProgram,
  content: Uint8Array,
  ends: readonly number[],
  whole: Outcome,
): void {
  const { released, violation } = inPieces(program, content, ends);
  const same = released === whole.released && violation?.offset === whole.violation?.offset &&
    violation?.start === whole.violation?.start && violation?.rule === whole.violation?.rule;
  if (same) return;
  const found = JSON.stringify({ cut: { released, violation }, whole });
  throw new Error(`cut at ${ends} of ${JSON.stringify([...content])}: ${found}`);
}

/** @returns places in the content, ascending, some perhaps twice, as for empty pieces. */
export function randomCuts(random: Random, length: number, count: number): number[] {
  return Array.from({ length: count }, () => random.below(length + 1)).sort((a, b) => a - b);
}

/**
 * @param content whole characters.
 * @returns whether a match of an expression of a byte or more, wherever its end is put, is among
 * the released.
 */
export function releasedMatch(
  forbid: readonly RegExp[],
  content: Uint8Array,
  released: number,
): boolean {
  const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const most = [...text(content.subarray(0, released))].length;
  return forbid.some(({ source, flags }) =>
    new RegExp(
      `(?=(?<rest>[^]*))(?:${source})(?<=^[^]{0,${most}})(?!\\k<rest>$)`,
      flags,
    ).test(text(content))
  );
}

const CHARACTERS = ["a", "b", "c", "a", "b", " ", "!", "é", "\n"];

/**
 * Cuts random texts under random policies at random places, byte by byte and in two, until it has
 * made so many cuts.
 * @throws Error where a cut makes a difference or a forbidden match is released.
 */
export function cutAtRandom(seed: number, cuts: number) {
  const random = seeded(seed);
  const count = { cuts: 0, texts: 0, violations: 0, atEnd: 0 };
  for (let round = 0; count.cuts < cuts; round++) {
    const forbid = Array.from({ length: random.below(4) }, () => regex(random, random.once(2)));
    const bounded = random.once(3);
    const judged: JudgedPolicy = {
      forbid,
      withins: forbid.map(() => bounded && random.once(2) ? 1 + random.below(30) : null),
      charset: random.pick(["utf-8", "utf-8", "ascii", "bytes"]),
      require: random.once(4) ? [/[^!]*/u] : [],
      maxBytes: random.once(4) ? random.below(60) : null,
    };
    const program = compiled(judged);
    if (program === null) continue;
    for (let text = 0; text < 10; text++) {
      const said = Array.from({ length: random.below(50) }, () => random.pick(CHARACTERS)).join("");
      const content = new TextEncoder().encode(said);
      const whole = inPieces(program, content, []);
      const what = () =>
        `seed ${seed} round ${round}: ${forbid.join(" ")}, ${JSON.stringify(said)}`;
      count.texts++;
      if (whole.violation !== null) count.violations++;
      if (whole.violation?.offset === content.length) count.atEnd++;
      if (!bounded && releasedMatch(forbid, content, whole.released)) {
        throw new Error(`a match was released: ${what()}`);
      }
      const places = Array.from(content.keys());
      const cuttings = [places, ...places.map((place) => [place])];
      for (let more = 0; more < 30; more++) {
        cuttings.push(randomCuts(random, content.length, 1 + random.below(16)));
      }
      for (const ends of cuttings) {
        try {
          compareCut(program, content, ends, whole);
        } catch (error) {
          throw new Error(what(), { cause: error });
        }
        count.cuts += ends.length;
      }
    }
  }
  return count;
}
