/** What a policy means, found from its automata. */
import { judge, placed } from "../api/policy.ts";
import { type CompiledDirection, compileMonitor } from "../gate/compile_monitor.ts";
import type { MonitorProgram } from "../gate/monitor.ts";
import {
  type Direction,
  DIRECTIONS,
  type Example,
  type ForbidRule,
  type Policy,
  type RequireRule,
} from "../policy/policy.ts";
import { readPolicy } from "../policy/policy_text.ts";
import type { PolicyShare } from "../../diodes/plan.ts";
import { shareOf } from "../../diodes/policy_diode.ts";
import { type Alone, forbiddenAlone } from "./policy_texts.ts";

export interface PolicyFacts {
  readonly policy: Policy;
  readonly directions: Readonly<Record<Direction, DirectionFacts>>;
  readonly rules: readonly RuleFacts[];
  /** What a diode of single packets takes over. */
  readonly share: PolicyShare;
  readonly examples: readonly ExampleFacts[];
}

export interface DirectionFacts {
  readonly automata: number;
  readonly states: number;
  readonly tableBytes: number;
  /** So many bytes are held back at most; null: there is no bound. */
  readonly hold: number | null;
}

export interface RuleFacts {
  readonly id: string;
  readonly kind: "forbid" | "require";
  readonly description: string;
  readonly appliesTo: readonly Direction[];
  /** So many bytes are held back at most because of it; null: there is no bound but a limit. */
  readonly hold: number | null;
  /** A shortest text that it forbids, where the policy's limits allow it. */
  readonly forbids: Alone;
}

/** What the policy says of an example; null: it passes. */
export type Judged = { readonly rule: string; readonly at: number } | null;

export interface ExampleFacts {
  readonly example: Example;
  readonly judged: Judged;
  readonly holds: boolean;
}

/**
 * @param path of the policy's file, named in errors.
 * @throws VeiError `policy-…`, with its place where there is one.
 */
export function factsOf(text: string, path: string): PolicyFacts {
  const policy = readPolicy(text, path);
  const compile = (some: Policy, direction: Direction) =>
    placed(text, path, policy, () => compileMonitor(some, direction));
  const compiled = { output: compile(policy, "output"), input: compile(policy, "input") };
  const empty = { ...policy, forbid: [], require: [] };
  const allowing = {
    output: compile(empty, "output").program,
    input: compile(empty, "input").program,
  };
  const facts = (kind: RuleFacts["kind"], rule: ForbidRule | RequireRule): RuleFacts => {
    const appliesTo = "appliesTo" in rule ? rule.appliesTo : ["output" as const];
    const direction = appliesTo.includes("output") ? "output" : "input";
    // What it holds back by itself, whatever the limits are.
    const limits = { ...policy.limits, maxBytes: null, maxHold: "all" as const };
    const alone = compile({ ...empty, limits, [kind]: [rule] }, direction);
    const hold = holdOf(alone);
    return {
      ...{ id: rule.id, kind, description: rule.description, appliesTo, hold },
      forbids: forbidden(alone.program, allowing[direction], direction, kind),
    };
  };
  return {
    policy,
    directions: {
      output: directionFacts(compiled.output),
      input: directionFacts(compiled.input),
    },
    rules: [
      ...policy.forbid.map((rule) => facts("forbid", rule)),
      ...policy.require.map((rule) => facts("require", rule)),
    ],
    share: shareOf(policy).share,
    examples: policy.examples.map((example) =>
      exampleFacts(example, compiled[example.appliesTo].program)
    ),
  };
}

/** A text that is UTF-8, so that people can read it. Of what is required one that says something. */
function forbidden(
  program: MonitorProgram,
  allowing: MonitorProgram,
  direction: Direction,
  kind: RuleFacts["kind"],
): Alone {
  const find = (atByte: boolean) =>
    forbiddenAlone(program, allowing, direction, { onlyText: true, atByte });
  if (kind === "forbid") return find(false);
  const early = find(true);
  return early.kind === "text" ? early : find(false);
}

function holdOf({ groups, program }: CompiledDirection): number | null {
  const most = (program.maxBytes?.bytes ?? Infinity) + 1;
  const hold = Math.max(
    0,
    ...groups.map(({ hold, within }) => Math.min(hold, within ?? Infinity, most)),
  );
  return hold === Infinity ? null : hold;
}

function directionFacts(compiled: CompiledDirection): DirectionFacts {
  const { automata } = compiled.program;
  const bytes = automata.flatMap((automaton) =>
    Object.values(automaton).map((part) => ArrayBuffer.isView(part) ? part.byteLength : 0)
  );
  return {
    automata: automata.length,
    states: automata.reduce((sum, { stateCount }) => sum + stateCount, 0),
    tableBytes: bytes.reduce((sum, one) => sum + one, 0),
    hold: holdOf(compiled),
  };
}

function exampleFacts(example: Example, program: MonitorProgram): ExampleFacts {
  const violation = judge(program, example.text);
  const judged = violation && { rule: violation.rule, at: violation.offset };
  const { verdict, rule, at } = example;
  const holds = judged === null
    ? verdict === "pass"
    : verdict === "violation" && (rule ?? judged.rule) === judged.rule &&
      (at ?? judged.at) === judged.at;
  return { example, judged, holds };
}

/** @returns the directions that some rule or limit is about. */
export function directionsOf({ policy }: PolicyFacts): Direction[] {
  return DIRECTIONS.toReversed().filter((direction) =>
    direction === "output" || policy.forbid.some(({ appliesTo }) => appliesTo.includes(direction))
  );
}
