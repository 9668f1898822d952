/** `vei policy diff`: a text that tells two policies apart, or that there is none. */
import { Exit } from "../base/errors.ts";
import { MOST_JOINT_STATES } from "../gate/joint.ts";
import { DIRECTIONS } from "../policy/policy.ts";
import { shippedPolicies } from "../../diodes/shipped.ts";
import type { Command } from "./command.ts";
import { policySource } from "./named_text.ts";
import { cachedForUser } from "./policy_cache.ts";
import { type Alone, forbiddenAlone } from "./policy_texts.ts";
import { shownText, textFields } from "./shown_text.ts";
import { usageError } from "./usage.ts";

const LIMIT = MOST_JOINT_STATES.toLocaleString("en");

export const command: Command = {
  name: "policy diff",
  summary: "a shortest text that one policy forbids and the other allows, or `equivalent`",
  usage: "NAME|FILE NAME|FILE",
  notes: [
    "Both ways, and for questions as for answers. What is said is exact: `equivalent` means that " +
    "there is no text, of whatever length, that tells the two apart. What takes more than " +
    `${LIMIT} joint states cannot be told. How long an answer may take is no matter of texts.`,
    "Exit 0: equivalent; 1: they differ; 2: it cannot be told.",
  ],
  complete: { wordsOrFile: shippedPolicies() },
  example: "vei policy diff secrets ./secrets.toml",
  async run(context) {
    const { positionals, json, terminal } = context;
    if (positionals.length !== 2) {
      throw usageError("Name two policies", "`vei policy list` shows them; files' paths work too");
    }
    const [first, second] = await Promise.all(
      positionals.map(async (name) => await cachedForUser(await policySource(name), context)),
    );
    const found = DIRECTIONS.toReversed().map((direction) => ({
      direction,
      first: forbiddenAlone(first[direction], second[direction], direction),
      second: forbiddenAlone(second[direction], first[direction], direction),
    }));
    const all = found.flatMap(({ first, second }) => [first, second]);
    const equivalent = all.every(({ kind }) => kind === "none")
      ? true
      : all.some(({ kind }) => kind === "text")
      ? false
      : null;
    const times = [first, second].map(({ policy }) => policy.limits.maxTimeMs);
    if (json) {
      const fields = Object.fromEntries(found.map(({ direction, first, second }) => [
        direction,
        { forbiddenByFirstAlone: fieldsOf(first), forbiddenBySecondAlone: fieldsOf(second) },
      ]));
      terminal.json({ equivalent, ...fields, maxTimeMs: times, mostStates: MOST_JOINT_STATES });
    } else {
      if (equivalent === true) terminal.out("equivalent: no text tells them apart");
      else {
        for (const { direction, first, second } of found) {
          terminal.out(`${direction}, forbidden by ${positionals[0]} alone: ${wordsOf(first)}`);
          terminal.out(`${direction}, forbidden by ${positionals[1]} alone: ${wordsOf(second)}`);
        }
      }
      if (times[0] !== times[1]) {
        const [a, b] = times.map((ms) => ms === null ? "none" : `${ms} ms`);
        terminal.out(`max_time: ${a} and ${b}`);
      }
    }
    return equivalent === true ? Exit.ok : equivalent === false ? Exit.failed : Exit.unknown;
  },
};

function fieldsOf(alone: Alone) {
  if (alone.kind !== "text") return { kind: alone.kind };
  const { kind, bytes, shortest, text, verdict } = alone;
  return { kind, bytes, shortest, ...(text === null ? {} : textFields(text)), ...verdict };
}

function wordsOf(alone: Alone): string {
  if (alone.kind === "none") return "no text";
  if (alone.kind === "unknown") return `cannot be told, more than ${LIMIT} joint states`;
  const { bytes, shortest, text, verdict } = alone;
  const less = shortest ? "" : "; whether a shorter one is cannot be told";
  if (text === null || verdict === null) return `a text of ${bytes} bytes${less}`;
  return `${shownText(text)} (rule ${verdict.rule}, byte ${verdict.offset})${less}`;
}
