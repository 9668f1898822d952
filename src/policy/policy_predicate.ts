/**
 * What a diode made from a policy takes over: those of its rules that can be enforced on each packet
 * by itself, where packets hold bare text, and the predicate that they come to.
 *
 * A packet that the predicate does not accept is part of no text that the policy allows, whatever
 * comes before and behind it: the diode stops nothing that the monitor would let through.
 */
import { flagsOf, packetRegex } from "./packet_regex.ts";
import { CHARSET_BYTES, type ForbidRule, type Policy } from "./policy.ts";
import type { Predicate } from "./predicate.ts";
import { regexOfWords } from "./words.ts";

/** One rule or limit of a policy, as a diode of packets sees it. */
export type PacketRule =
  & { readonly id: string }
  & (
    | { readonly predicate: Predicate; readonly why: null }
    /** `why`: one clause for people, why a packet by itself does not tell. */
    | { readonly predicate: null; readonly why: string }
  );

/** What no diode of packets does, whichever rules it has taken. */
export const PACKET_LIMIT =
  "a packet is judged by itself: a match that lies in two of them, or at a packet's edge where the " +
  "rule asks what stands beside it, is the monitor's to find";

/**
 * @returns every rule of the policy and every limit that it sets, in the order in which verdicts
 * name them: `forbid`, `require`, `limit:charset`, `limit:max_bytes`, `limit:max_time`.
 */
export function packetRules({ forbid, require, limits }: Policy): PacketRule[] {
  const { charset, maxBytes, maxTimeMs } = limits;
  return [
    ...forbid.map(ofForbidden),
    ...require.map(({ id }) => left(id, "what it requires is a form of the whole answer")),
    ...(charset === "bytes" ? [] : [taken("limit:charset", ofCharset(charset))]),
    ...(maxBytes === null
      ? []
      : [left("limit:max_bytes", "it counts the whole answer, over all its packets")]),
    ...(maxTimeMs === null
      ? []
      : [left("limit:max_time", "it is about when the whole answer ends, not what it holds")]),
  ];
}

/** @returns what all of the rules come to that can be taken; null: there is none. */
export function conjunction(rules: readonly PacketRule[]): Predicate | null {
  return rules.reduce<Predicate | null>(
    (sum, { predicate }) =>
      sum === null || predicate === null
        ? sum ?? predicate
        : { kind: "and", left: sum, right: predicate },
    null,
  );
}

function taken(id: string, predicate: Predicate): PacketRule {
  return { id, predicate, why: null };
}

function left(id: string, why: string): PacketRule {
  return { id, predicate: null, why };
}

function ofForbidden({ id, match, ignoreCase, appliesTo, within }: ForbidRule): PacketRule {
  if (!appliesTo.includes("output")) {
    return left(id, "it is about what is asked, and the diode sees only what is answered");
  }
  if (within !== null) return left(id, "its within counts from the beginning of the whole answer");
  const regex = match.kind === "regex"
    ? match.regex
    : regexOfWords(match.words, match.wholeWords, ignoreCase);
  const inPacket = packetRegex(regex);
  if (inPacket === null) {
    return left(id, "its ^ or $ is the beginning or the end of the whole answer");
  }
  const { source } = inPacket;
  return taken(id, {
    kind: "not",
    operand: { kind: "matches", source, flags: flagsOf(inPacket) },
  });
}

function ofCharset(charset: "utf-8" | "ascii" | "printable"): Predicate {
  if (charset === "utf-8") return { kind: "utf8" };
  const ranges = CHARSET_BYTES[charset].map(([first, last]) => ({ first, last }));
  return { kind: "all-in", ranges, within: null };
}
