/**
 * The predicate language's syntax tree: what a payload must be like to pass. The meaning of every
 * form is written down in `diodes/README.md`.
 */

/** How `size` compares. */
export type Comparison = "<" | "<=" | ">" | ">=" | "==";

/** A set of byte strings. `within: null` means the whole payload; no literal is empty. */
export type Predicate =
  | { readonly kind: "contains"; readonly literal: Uint8Array; readonly within: number | null }
  | { readonly kind: "size"; readonly comparison: Comparison; readonly bound: number }
  | { readonly kind: "starts-with"; readonly literals: readonly Uint8Array[] }
  | { readonly kind: "printable"; readonly within: number | null }
  | { readonly kind: "not"; readonly operand: Predicate }
  | { readonly kind: "and" | "or"; readonly left: Predicate; readonly right: Predicate };

/** Lowest and highest byte that `printable` accepts: space to tilde. */
export const PRINTABLE = { first: 0x20, last: 0x7e } as const;

/** No number in a predicate is larger: an IP packet's length has 16 bits. */
export const MOST_BYTES = 65_535;

/** @returns the predicate's one canonical text; parsing it gives the same tree again. */
export function formatPredicate(predicate: Predicate): string {
  return format(predicate, 0);
}

/** How tightly each connective binds; an operand that binds less tightly needs parentheses. */
const BINDING = { or: 1, and: 2, not: 3 } as const;

function format(predicate: Predicate, least: number): string {
  switch (predicate.kind) {
    case "contains":
      return `contains ${quote(predicate.literal)}${within(predicate.within)}`;
    case "size":
      return `size ${predicate.comparison} ${predicate.bound}`;
    case "starts-with":
      return predicate.literals.length === 1
        ? `starts_with ${quote(predicate.literals[0])}`
        : `starts_with_any [${predicate.literals.map(quote).join(", ")}]`;
    case "printable":
      return `all printable${within(predicate.within)}`;
    case "not":
      return parenthesise(`not ${format(predicate.operand, BINDING.not)}`, BINDING.not, least);
    case "and":
    case "or": {
      const own = BINDING[predicate.kind];
      // The connectives group to the left, so a right operand of the same kind keeps its own.
      const text = `${format(predicate.left, own)} ${predicate.kind} ${
        format(predicate.right, own + 1)
      }`;
      return parenthesise(text, own, least);
    }
  }
}

function parenthesise(text: string, own: number, least: number): string {
  return own < least ? `(${text})` : text;
}

function within(bytes: number | null): string {
  return bytes === null ? "" : ` within ${bytes}`;
}

function quote(literal: Uint8Array): string {
  let text = "";
  for (const byte of literal) {
    const character = String.fromCharCode(byte);
    if (character === '"' || character === "\\") text += `\\${character}`;
    else if (byte >= PRINTABLE.first && byte <= PRINTABLE.last) text += character;
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${text}"`;
}
