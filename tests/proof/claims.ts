/** What the checker of tables is asked: predicates with the maps that they are compiled to. */
import { judgePredicate } from "../../src/automaton/judgement.ts";
import { DEAD } from "../../src/automaton/dfa.ts";
import { VeiError } from "../../src/base/errors.ts";
import { encodeConfig, encodeTable, type LinkRules } from "../../src/bpf/layout.ts";
import { parsePredicate } from "../../src/policy/parse.ts";
import type { Predicate } from "../../src/policy/predicate.ts";
import { readRegex } from "../../src/policy/regex.ts";
import { wholeFile } from "../../src/policy/source.ts";
import type { TableClaim } from "../../src/proof/checker/table/pairs.ts";

const LINK: LinkRules = {
  hostMac: "02:00:00:00:00:01",
  guestMac: "02:00:00:00:00:02",
  hostIp: "172.30.0.1",
  guestIp: "172.30.0.11",
  guestPort: 8080,
  maxFrame: 1514,
};

/** A claim whose maps may be changed. */
export interface OwnClaim extends TableClaim {
  readonly table: Uint8Array<ArrayBuffer>;
  readonly config: Uint8Array<ArrayBuffer>;
}

/** @throws VeiError `diode-too-large`. */
export function claimOf(predicate: Predicate): OwnClaim {
  const judgement = judgePredicate(predicate);
  const dropEmpty = judgement.dfa.start === DEAD;
  return {
    predicate,
    readRegex,
    table: encodeTable(judgement.dfa),
    config: encodeConfig({ ...LINK, dropEmpty }, judgement),
  };
}

/** @returns the claim of a predicate's text. */
export function claimOfText(text: string): OwnClaim {
  return claimOf(parsePredicate(wholeFile(text, "test")));
}

/** @returns null where the predicate has too many states and says so. */
export function claimUnlessTooLarge(predicate: Predicate): OwnClaim | null {
  try {
    return claimOf(predicate);
  } catch (error) {
    if (error instanceof VeiError && error.code === "diode-too-large") return null;
    throw error;
  }
}

/** @returns the code of the error with which it ends, null when it does not. */
export async function refusal(ask: () => unknown): Promise<string | null> {
  try {
    await ask();
    return null;
  } catch (error) {
    if (error instanceof VeiError && error.code.startsWith("proof-")) return error.code;
    throw error;
  }
}
