/**
 * The predicate language's meaning, evaluated directly on a byte array. Shares only the syntax
 * tree's type with what it judges.
 */
import type { Predicate } from "../../src/policy/predicate.ts";

/** @returns whether the payload is one that the predicate accepts. */
export function accepts(predicate: Predicate, payload: Uint8Array): boolean {
  switch (predicate.kind) {
    case "contains": {
      const looked = latin1(payload.subarray(0, predicate.within ?? payload.length));
      return looked.includes(latin1(predicate.literal));
    }
    case "size": {
      const [size, bound] = [payload.length, predicate.bound];
      switch (predicate.comparison) {
        case "<":
          return size < bound;
        case "<=":
          return size <= bound;
        case ">":
          return size > bound;
        case ">=":
          return size >= bound;
        case "==":
          return size === bound;
      }
      break;
    }
    case "starts-with":
      return predicate.literals.some((literal) => latin1(payload).startsWith(latin1(literal)));
    case "printable":
      return /^[ -~]*$/.test(latin1(payload.subarray(0, predicate.within ?? payload.length)));
    case "not":
      return !accepts(predicate.operand, payload);
    case "and":
      return accepts(predicate.left, payload) && accepts(predicate.right, payload);
    case "or":
      return accepts(predicate.left, payload) || accepts(predicate.right, payload);
  }
  throw new TypeError(`No judgement of ${predicate.kind}`);
}

/** @returns a character for each byte. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
