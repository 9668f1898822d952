/** Random predicates, and payloads that lie near what they tell apart. */
import type { ByteRange, Predicate } from "../../src/policy/predicate.ts";
import { MOST_PAYLOAD, Payloads } from "./payloads.ts";
import type { Random } from "./random.ts";
import { anyRegex } from "./random_regex.ts";

const LITERALS = ["a", "b", "ab", "aa", "aba", "aab", "abaab", "{", "hate", "\x00", "é", "\xff"];
const COMPARISONS = ["<", "<=", ">", ">=", "=="] as const;
const BOUNDS = [0, 1, 2, 3, 5, 8, 16, 17, 40];

const bytesOf = (text: string) => new TextEncoder().encode(text);
const literal = (random: Random) =>
  random.once(6) ? random.bytes(1 + random.below(3)) : bytesOf(random.pick(LITERALS));

/** A predicate without connectives. */
type Atom = (random: Random) => Predicate;

const within = (random: Random) => random.once(3) ? null : random.pick(BOUNDS);

/** Predicates whose automata stay small under any connective. */
export const SIMPLE: readonly Atom[] = [
  (random) => ({ kind: "contains", literal: literal(random), within: within(random) }),
  (random) => ({
    kind: "size",
    comparison: random.pick(COMPARISONS),
    bound: random.pick(BOUNDS),
  }),
  (random) => ({
    kind: "starts-with",
    literals: Array.from({ length: 1 + random.below(3) }, () => literal(random)),
  }),
  (random) => ({ kind: "printable", within: within(random) }),
];

/** The whole language. A few of its predicates need more states than there may be. */
export const WHOLE: readonly Atom[] = [
  ...SIMPLE,
  (random) => ({ kind: "all-in", ranges: ranges(random), within: within(random) }),
  (random) => ({
    kind: "json-depth",
    comparison: random.pick(COMPARISONS),
    bound: random.below(5),
  }),
  (random) => ({ kind: random.once(4) ? random.pick(["anything", "nothing"]) : "utf8" }),
  (random) => ({ kind: "matches", ...anyRegex(random, 2) }),
  (random) => ({ kind: "matches", ...anyRegex(random, 3) }),
];

/** @param depth of connectives at most. */
export function anyPredicate(random: Random, depth: number, atoms = SIMPLE): Predicate {
  if (depth > 0 && !random.once(3)) {
    const operand = () => anyPredicate(random, depth - 1, atoms);
    const kind = random.pick(["not", "and", "or"] as const);
    return kind === "not"
      ? { kind, operand: operand() }
      : { kind, left: operand(), right: operand() };
  }
  return random.pick(atoms)(random);
}

/** @returns a list as the tree holds it: ascending, with a gap between any two. */
function ranges(random: Random): ByteRange[] {
  const found: ByteRange[] = [];
  const gap = () => random.pick([1, 2, 9, 32, 60]);
  for (let first = random.pick([0, 1, 9, 0x20, 0x30]); first <= 255 && found.length < 5;) {
    const last = Math.min(255, first + random.pick([0, 1, 2, 25, 94, 127]));
    found.push({ first, last });
    first = last + 1 + gap();
  }
  return found;
}

const buffer = new Uint8Array(MOST_PAYLOAD);

/** @returns a payload made of pieces of the predicate, of a length around its bounds. */
export function payloadNear(random: Random, predicate: Predicate): Uint8Array<ArrayBuffer> {
  return buffer.slice(0, new Payloads(random, predicate).fill(buffer));
}
