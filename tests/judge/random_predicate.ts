/** Random predicates, and payloads that lie near what they tell apart. */
import type { Predicate } from "../../src/policy/predicate.ts";
import type { Random } from "./random.ts";

const LITERALS = ["a", "b", "ab", "aa", "aba", "{", "hate", "\x00", "é", "\xff"];
const COMPARISONS = ["<", "<=", ">", ">=", "=="] as const;
const BOUNDS = [0, 1, 2, 3, 5, 8, 16, 17, 40];

const bytesOf = (text: string) => new TextEncoder().encode(text);
const literal = (random: Random) =>
  random.once(6) ? random.bytes(1 + random.below(3)) : bytesOf(random.pick(LITERALS));

/** @param depth of connectives at most. */
export function anyPredicate(random: Random, depth: number): Predicate {
  if (depth > 0 && !random.once(3)) {
    const operand = () => anyPredicate(random, depth - 1);
    const kind = random.pick(["not", "and", "or"] as const);
    return kind === "not"
      ? { kind, operand: operand() }
      : { kind, left: operand(), right: operand() };
  }
  const within = random.once(3) ? null : random.pick(BOUNDS);
  switch (random.below(4)) {
    case 0:
      return { kind: "contains", literal: literal(random), within };
    case 1: {
      const comparison = random.pick(COMPARISONS);
      return { kind: "size", comparison, bound: random.pick(BOUNDS) };
    }
    case 2: {
      const literals = Array.from({ length: 1 + random.below(3) }, () => literal(random));
      return { kind: "starts-with", literals };
    }
    default:
      return { kind: "printable", within };
  }
}

/** @returns a payload made of pieces of the predicate, lengths around its bounds. */
export function payloadNear(random: Random, predicate: Predicate): Uint8Array<ArrayBuffer> {
  const pieces = [...literals(predicate)];
  const length = Math.max(0, random.pick(BOUNDS) + random.below(4) - 1);
  const out: number[] = [];
  while (out.length < length) {
    if (pieces.length > 0 && random.once(2)) {
      const piece = random.pick(pieces);
      out.push(...piece.subarray(0, random.once(3) ? random.below(piece.length + 1) : undefined));
    } else out.push(random.once(3) ? random.below(256) : 0x20 + random.below(95));
  }
  return Uint8Array.from(out.slice(0, length));
}

function* literals(predicate: Predicate): Generator<Uint8Array> {
  switch (predicate.kind) {
    case "contains":
      yield predicate.literal;
      break;
    case "starts-with":
      yield* predicate.literals;
      break;
    case "not":
      yield* literals(predicate.operand);
      break;
    case "and":
    case "or":
      yield* literals(predicate.left);
      yield* literals(predicate.right);
  }
}
