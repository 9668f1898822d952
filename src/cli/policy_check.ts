/** `vei policy check`: whether a policy's examples hold, and what it means. */
import { sha256 } from "../base/bytes.ts";
import { Exit } from "../base/errors.ts";
import { wrapped } from "../base/wrap.ts";
import { PACKET_LIMIT } from "../policy/policy_predicate.ts";
import { shippedPolicies } from "../../diodes/shipped.ts";
import type { Command } from "./command.ts";
import { leftLines } from "./named_diode.ts";
import { policySource } from "./named_text.ts";
import { directionsOf, type ExampleFacts, factsOf, type PolicyFacts } from "./policy_facts.ts";
import { onePolicy } from "./policy_list.ts";
import { shownText, textFields } from "./shown_text.ts";
import { columns } from "./topics/topic.ts";

export const command: Command = {
  name: "policy check",
  summary: "whether a policy is right and its examples hold, and what it means",
  usage: "NAME|FILE",
  notes: [
    "For each rule: how many bytes it may hold back, whether a diode of single packets can enforce " +
    "it too (kernel) or the monitor alone, and a shortest text that it forbids, found from its " +
    "automaton; of what is required, one that is refused.",
    "Exit 0: every example holds; 1: one does not; 78: it is no policy, and the error names the " +
    "place.",
  ],
  complete: { wordsOrFile: shippedPolicies() },
  example: "vei policy check secrets",
  async run({ positionals, json, terminal }) {
    if (positionals.length !== 1) throw onePolicy();
    const { text, path } = await policySource(positionals[0]);
    const facts = factsOf(text, path);
    const failed = facts.examples.filter(({ holds }) => !holds);
    if (json) {
      const digest = await sha256(new TextEncoder().encode(text));
      terminal.json({ ok: failed.length === 0, path, sha256: digest, ...fieldsOf(facts) });
    } else {
      for (const line of linesOf(facts)) terminal.out(line);
      for (const warning of warningsOf(facts)) terminal.err(`warning: ${warning}`);
      for (const one of failed) terminal.err(`${path}:${one.example.line}: ${failureOf(one)}`);
    }
    return failed.length === 0 ? Exit.ok : Exit.failed;
  },
};

function fieldsOf(facts: PolicyFacts) {
  const { policy, rules, share, examples } = facts;
  const { name, version, description, limits } = policy;
  const left = new Map(share.left.map(({ id, why }) => [id, why]));
  return {
    ...{ name, version, description, limits },
    warnings: warningsOf(facts),
    ...Object.fromEntries(directionsOf(facts).map((one) => [one, facts.directions[one]])),
    rules: rules.map(({ forbids, ...rule }) => ({
      ...rule,
      kernel: !left.has(rule.id),
      forbids: forbids.kind === "text" && forbids.text !== null ? textFields(forbids.text) : null,
    })),
    kernel: share,
    examples: examples.map(({ example, judged, holds }) => {
      const { line, appliesTo, verdict, rule, at } = example;
      return { line, appliesTo, holds, expected: { verdict, rule, at }, judged };
    }),
  };
}

function linesOf(facts: PolicyFacts): string[] {
  const { policy, rules, share, examples } = facts;
  const held = examples.filter(({ holds }) => holds).length;
  const left = new Set(share.left.map(({ id }) => id));
  return [
    `${policy.name} ${policy.version}: ${policy.description}`,
    `examples   ${held} of ${examples.length} hold`,
    ...directionsOf(facts).map((direction) => {
      const { automata, states, tableBytes, hold } = facts.directions[direction];
      return `${direction.padEnd(10)} ${many(automata, "automaton", "automata")}, ${
        many(states, "state")
      }, tables of ${many(tableBytes, "byte")}; ` +
        (hold === null ? "no bound to what is held back" : `holds back at most ${bytes(hold)}`);
    }),
    ...(rules.length === 0 ? [] : ["rules      hold back, where, forbids:"]),
    ...columns4(rules.map(({ id, hold, forbids }) => [
      id,
      hold === null ? "unbounded" : bytes(hold),
      left.has(id) ? "monitor" : "kernel",
      forbids.kind === "text" && forbids.text !== null
        ? shownText(forbids.text)
        : forbids.kind === "none"
        ? "no text"
        : "not told",
    ])),
    `diode      policy:${policy.name} takes ${share.held.length} of ` +
    `${share.held.length + share.left.length} rules and limits: ${heldWords(facts)}`,
    ...leftLines({ share }).flatMap((line) => wrapped(line, 100, "  ", "    ")),
    ...(share.held.length === 0 ? [] : wrapped(PACKET_LIMIT, 100, "  limit: ", "    ")),
  ];
}

function heldWords({ rules, share }: PolicyFacts): string {
  const marked = rules.filter(({ id }) => share.held.some((one) => one.id === id)).length;
  const limits = share.held.flatMap(({ id }) => rules.some((one) => one.id === id) ? [] : [id]);
  return [...(marked === 0 ? [] : ["those marked kernel"]), ...limits].join(", ") || "none";
}

function columns4(rows: readonly (readonly [string, string, string, string])[]): string[] {
  if (rows.length === 0) return [];
  const [, right] = [0, 0].map((_, i) => Math.max(...rows.map((row) => row[i + 1].length)));
  const middle = Math.max(...rows.map(([, hold]) => hold.length));
  return columns(rows.map(([id, hold, where, text]) => [
    id,
    `${hold.padStart(middle)}  ${where.padEnd(right)}  ${text}`,
  ])).split("\n");
}

function warningsOf({ policy, rules, examples }: PolicyFacts): string[] {
  const nothing = rules.filter(({ forbids }) => forbids.kind === "none").map(({ id }) => id);
  const unbounded = rules.filter(({ hold }) => hold === null).map(({ id }) => id);
  return [
    ...(examples.length === 0 ? ["it has no examples, so nothing shows that it is as meant"] : []),
    ...(nothing.length === 0
      ? []
      : [`${nothing.join(", ")}: the limits leave no text that it forbids`]),
    ...(unbounded.length === 0 ? [] : [
      `${
        unbounded.join(", ")
      }: without bound; up to max_bytes (${policy.limits.maxBytes}) may be ` +
      "held back until its match is decided",
    ]),
  ];
}

function failureOf({ example, judged }: ExampleFacts): string {
  const { verdict, rule, at, appliesTo } = example;
  const asked = verdict === "pass"
    ? "passes"
    : `violates ${rule ?? "a rule"}${at === null ? "" : ` at byte ${at}`}`;
  const is = judged === null ? "it passes" : `it violates ${judged.rule} at byte ${judged.at}`;
  return `the example (${appliesTo}) is said to be one that ${asked}; ${is}`;
}

function bytes(count: number): string {
  return many(count, "byte");
}

function many(count: number, one: string, more = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : more}`;
}
