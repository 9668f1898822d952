/** Texts that a policy forbids, found in its automata, and said again by the monitor. */
import { Exit, VeiError } from "../base/errors.ts";
import { compileMonitor } from "../gate/compile_monitor.ts";
import { type Difference, refusedAndAllowed } from "../gate/difference.ts";
import { Monitor, type MonitorProgram } from "../gate/monitor.ts";
import { type Part, partsOf } from "../gate/parts.ts";
import { type Direction, type Policy, USUAL_LIMITS } from "../policy/policy.ts";

/** What a program forbids and another one allows. */
export type Alone =
  | Exclude<Difference, { kind: "text" }>
  /** `verdict` is null where the text is too long to be made. */
  | Extract<Difference, { kind: "text" }> & { verdict: { rule: string; offset: number } | null };

/** A policy without a rule. */
const NOTHING: Policy = {
  ...{ name: "nothing", version: "1", description: "", limits: USUAL_LIMITS },
  ...{ forbid: [], require: [], examples: [] },
};

/** What is asked is a text: whatever is no UTF-8 never comes to the monitor. */
let utf8: readonly Part[] | null = null;

/**
 * @param direction of both.
 * @returns a shortest text that `refusing` forbids and `allowing` allows.
 * @throws VeiError `policy-disagreement` where the monitor does not say the same.
 */
export function forbiddenAlone(
  refusing: MonitorProgram,
  allowing: MonitorProgram,
  direction: Direction,
  { onlyText = direction === "input", atByte = false } = {},
): Alone {
  utf8 ??= partsOf(compileMonitor(NOTHING, "output").program);
  const common = onlyText ? utf8 : [];
  const difference = refusedAndAllowed(refusing, allowing, { common, atByte });
  if (difference.kind !== "text") return difference;
  const { text } = difference;
  if (text === null) return { ...difference, verdict: null };
  const violation = judged(refusing, text);
  if (violation === null || judged(allowing, text) !== null) throw disagreement(text);
  const { rule, offset } = violation;
  return { ...difference, verdict: { rule: refusing.rules[rule], offset } };
}

function judged(program: MonitorProgram, text: Uint8Array) {
  const monitor = new Monitor(program);
  return monitor.push(text).violation ?? monitor.end().violation;
}

function disagreement(text: Uint8Array): VeiError {
  return new VeiError({
    code: "policy-disagreement",
    message: `The monitor does not judge a text of ${text.length} bytes as its automata do`,
    hint: "do not rely on these policies; report them",
    exit: Exit.internal,
  });
}
