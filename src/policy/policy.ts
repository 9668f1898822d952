/** What a policy says, once it is read: the rules that the monitor enforces on a stream of bytes. */
import type { Regex } from "./regex.ts";

/** `input`: what the user asks, checked before the model sees it; `output`: what the model says. */
export type Direction = "input" | "output";

export const DIRECTIONS: readonly Direction[] = ["input", "output"];

/** Which bytes the output may consist of. */
export type Charset = "utf-8" | "ascii" | "printable" | "bytes";

/**
 * The bytes of the charsets that are plain lists of bytes, first and last of each range. `utf-8`
 * is valid UTF-8 (RFC 3629), `bytes` whatever there is.
 */
export const CHARSET_BYTES: Readonly<
  Record<"ascii" | "printable", readonly (readonly [first: number, last: number])[]>
> = {
  ascii: [[0x00, 0x7f]],
  // What a terminal shows as text, with tab, line feed and carriage return.
  printable: [[0x09, 0x0a], [0x0d, 0x0d], [0x20, 0x7e]],
};

export const CHARSETS: readonly Charset[] = ["utf-8", "ascii", "printable", "bytes"];

/** Ids that begin so name limits, not rules. */
export const LIMIT_PREFIX = "limit:";

/** The limits that decide at a byte, by the ids that verdicts name. */
export const LIMIT_IDS = ["limit:charset", "limit:max_bytes"] as const;

/** What holds of the whole output. */
export interface Limits {
  /** So many bytes may be said, and not one more; null: no limit. */
  readonly maxBytes: number | null;
  /** So long may saying them take, in ms; null: the policy sets no limit. */
  readonly maxTimeMs: number | null;
  readonly charset: Charset;
  /** So many bytes may wait for a rule to be decided; `all`: as many as `maxBytes`. */
  readonly maxHold: number | "all";
}

/** What holds where a file says nothing. */
export const USUAL_LIMITS: Limits = {
  maxBytes: null,
  maxTimeMs: null,
  charset: "utf-8",
  maxHold: 65_536,
};

/** The content may not have it anywhere in it. */
export interface ForbidRule {
  readonly id: string;
  /** Empty where the file says nothing. */
  readonly description: string;
  readonly match:
    | {
      readonly kind: "words";
      readonly words: readonly string[];
      /** `\b` is asked for at each edge of a word that is a word character. */
      readonly wholeWords: boolean;
    }
    | { readonly kind: "regex"; readonly regex: Regex };
  readonly ignoreCase: boolean;
  readonly appliesTo: readonly Direction[];
  /** Only a violation whose deciding byte has an index below this counts; null: every one. */
  readonly within: number | null;
}

/** The whole output has to be like this. */
export interface RequireRule {
  readonly id: string;
  /** Empty where the file says nothing. */
  readonly description: string;
  readonly what:
    | { readonly kind: "regex"; readonly regex: Regex }
    /** One JSON text (RFC 8259) of at most so many levels of `{` and `[`. */
    | { readonly kind: "json"; readonly maxDepth: number };
  readonly ignoreCase: boolean;
}

/** A text and what the policy is to say of it. */
export interface Example {
  readonly text: string;
  readonly verdict: "pass" | "violation";
  /** Id of the rule that decides; null: any. */
  readonly rule: string | null;
  /** Index of the byte that decides, in UTF-8; the text's length for its end. null: any. */
  readonly at: number | null;
  readonly appliesTo: Direction;
  /** Where it stands in the file, from 1. */
  readonly line: number;
}

/**
 * A policy. Where several rules decide at the same byte the verdict names the first of: `forbid` in
 * this order, `require` in this order, `limit:charset`, `limit:max_bytes`.
 */
export interface Policy {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly limits: Limits;
  readonly forbid: readonly ForbidRule[];
  readonly require: readonly RequireRule[];
  readonly examples: readonly Example[];
}
