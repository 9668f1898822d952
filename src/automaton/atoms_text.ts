/** The automata of `json_depth` and `utf8`, by their rules. */
import type { Comparison } from "../policy/predicate.ts";
import { classesOf } from "./code_points.ts";
import type { Rules } from "./explore.ts";
import { BROKEN, decoderOf } from "./utf8.ts";

const REJECT = -1;
const ACCEPT = -2;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING = [0x5b, 0x7b];
const CLOSING = [0x5d, 0x7d];

/** The sets of bytes that nesting tells apart. */
export const JSON_SETS = [[QUOTE], [BACKSLASH], OPENING, CLOSING].map((set) => (byte: number) =>
  set.includes(byte)
);

/** Outside of a string, in one, and after a backslash in one. */
const [OUTSIDE, STRING, ESCAPE] = [0, 1, 2];

/** A state is the level, what surrounds, and (for `==`) whether the bound has been reached. */
export function jsonDepth(comparison: Comparison, bound: number): Rules {
  const mostAllowed = comparison === "<" || comparison === ">=" ? bound - 1 : bound;
  const beyond = comparison === ">" || comparison === ">=" ? ACCEPT : REJECT;
  const state = (level: number, where: number, reached: boolean) =>
    level > mostAllowed ? beyond : (level * 3 + where) * 2 + (reached ? 1 : 0);
  return {
    start: state(0, OUTSIDE, bound === 0),
    step(from, byte) {
      if (from < 0) return from;
      const reached = from % 2 === 1;
      const where = (from >> 1) % 3;
      const level = Math.floor(from / 6);
      if (where === ESCAPE) return state(level, STRING, reached);
      if (where === STRING) {
        return state(
          level,
          byte === QUOTE ? OUTSIDE : byte === BACKSLASH ? ESCAPE : STRING,
          reached,
        );
      }
      if (byte === QUOTE) return state(level, STRING, reached);
      if (OPENING.includes(byte)) {
        return state(level + 1, OUTSIDE, reached || level + 1 === bound);
      }
      return state(CLOSING.includes(byte) ? Math.max(0, level - 1) : level, OUTSIDE, reached);
    },
    accepts(at) {
      if (at < 0) return at === ACCEPT;
      return comparison === "==" ? at % 2 === 1 : beyond === REJECT;
    },
  };
}

/** A character that was cut has at most so many bytes left. */
const MOST_LEFT = 3;

/** @returns the rules of `utf8`, and the bytes that they tell apart. */
export function utf8(): { rules: Rules; classOf: Uint8Array<ArrayBuffer> } {
  const { nodeCount, classCount, classOf, next } = decoderOf(classesOf([], 0x10ffff), false);
  // A state is a node of the decoder; or, from nodeCount on, how many bytes of a cut character
  // there have been since the payload's beginning.
  const rules: Rules = {
    start: nodeCount,
    step(state, byte) {
      if (state < 0) return state;
      if (state >= nodeCount && byte >= 0x80 && byte <= 0xbf) {
        return state < nodeCount + MOST_LEFT ? state + 1 : REJECT;
      }
      const node = state >= nodeCount ? 0 : state;
      const entry = next[node * classCount + classOf[byte]];
      return entry === BROKEN ? REJECT : Math.max(0, entry);
    },
    accepts: (state) => state !== REJECT,
  };
  // The bytes that can end a cut character are one set more.
  const lead = new Map<number, number>();
  return {
    rules,
    classOf: classOf.map((symbol, byte) => {
      const signature = symbol * 2 + (byte >= 0x80 && byte <= 0xbf ? 1 : 0);
      if (!lead.has(signature)) lead.set(signature, lead.size);
      return lead.get(signature)!;
    }),
  };
}
