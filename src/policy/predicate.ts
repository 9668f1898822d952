/**
 * The predicate language's syntax tree: what a payload must be like to pass. The meaning of every
 * form is written down in `diodes/README.md`.
 */

/** How `size` and `json_depth` compare. */
export type Comparison = "<" | "<=" | ">" | ">=" | "==";

/** Bytes from `first` to `last`, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** A set of byte strings. `within: null` means the whole payload; no literal is empty. */
export type Predicate =
  | { readonly kind: "contains"; readonly literal: Uint8Array; readonly within: number | null }
  | {
    readonly kind: "size" | "json-depth";
    readonly comparison: Comparison;
    readonly bound: number;
  }
  | { readonly kind: "starts-with"; readonly literals: readonly Uint8Array[] }
  | { readonly kind: "printable"; readonly within: number | null }
  /** `ranges`: at least one, ascending, with a gap between any two. */
  | {
    readonly kind: "all-in";
    readonly ranges: readonly ByteRange[];
    readonly within: number | null;
  }
  | { readonly kind: "utf8" | "anything" | "nothing" }
  /** A JavaScript regular expression; `flags` are some of `i m s u`, in this order. */
  | { readonly kind: "matches"; readonly source: string; readonly flags: string }
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
    case "json-depth":
      return `json_depth ${predicate.comparison} ${predicate.bound}`;
    case "starts-with":
      return predicate.literals.length === 1
        ? `starts_with ${quote(predicate.literals[0])}`
        : `starts_with_any [${predicate.literals.map(quote).join(", ")}]`;
    case "printable":
      return `all printable${within(predicate.within)}`;
    case "all-in":
      return `all in [${predicate.ranges.map(range).join(", ")}]${within(predicate.within)}`;
    case "matches":
      return `matches /${predicate.source}/${predicate.flags}`;
    case "utf8":
    case "anything":
    case "nothing":
      return predicate.kind;
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

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function range({ first, last }: ByteRange): string {
  return first === last ? `0x${hex(first)}` : `0x${hex(first)}..0x${hex(last)}`;
}

function quote(literal: Uint8Array): string {
  let text = "";
  for (const byte of literal) {
    const character = String.fromCharCode(byte);
    if (character === '"' || character === "\\") text += `\\${character}`;
    else if (byte >= PRINTABLE.first && byte <= PRINTABLE.last) text += character;
    else text += `\\x${hex(byte)}`;
  }
  return `"${text}"`;
}
