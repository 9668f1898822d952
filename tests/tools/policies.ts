/** Policies that tests make for themselves. */
import { compileMonitor } from "../../src/gate/compile_monitor.ts";
import type { MonitorProgram } from "../../src/gate/monitor.ts";
import {
  type Charset,
  type ForbidRule,
  type Policy,
  USUAL_LIMITS,
} from "../../src/policy/policy.ts";
import { readRegex } from "../../src/policy/regex.ts";

/** A list of words that are forbidden in the output. */
export interface WordRule {
  readonly words: readonly string[];
  readonly ignoreCase?: boolean;
  readonly wholeWords?: boolean;
}

/** @returns a policy with these rules, of which a text is an expression; ids are `rule0` and on. */
export function policyWith(
  rules: readonly (WordRule | string)[],
  charset: Charset = "utf-8",
): Policy {
  return {
    name: "some",
    version: "1",
    description: "",
    limits: { ...USUAL_LIMITS, charset },
    forbid: rules.map((rule, i): ForbidRule => {
      const ignoreCase = typeof rule !== "string" && rule.ignoreCase === true;
      return {
        id: `rule${i}`,
        description: "",
        match: typeof rule === "string"
          ? { kind: "regex", regex: readRegex(rule, "u") }
          : { kind: "words", words: rule.words, wholeWords: rule.wholeWords === true },
        ignoreCase,
        appliesTo: ["output"],
        within: null,
      };
    }),
    require: [],
    examples: [],
  };
}

/** @returns what the monitor runs for such a policy. */
export function programWith(
  rules: readonly (WordRule | string)[],
  charset: Charset = "utf-8",
): MonitorProgram {
  return compileMonitor(policyWith(rules, charset), "output").program;
}
