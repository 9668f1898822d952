/** `vei diode list | show | check`: what diodes say, and what they become. Nothing is loaded. */
import { defaultConfig } from "../base/config.ts";
import { Exit } from "../base/errors.ts";
import { wrapped } from "../base/wrap.ts";
import { byteKinds } from "../bpf/calm.ts";
import { disassemble } from "../bpf/disassembler.ts";
import { MAX_TABLE_ENTRIES, tableEntries } from "../bpf/layout.ts";
import { diodeProgram } from "../bpf/program.ts";
import { parseDiodeFile } from "../policy/diode_file.ts";
import { PACKET_LIMIT } from "../policy/policy_predicate.ts";
import { readPolicy } from "../policy/policy_text.ts";
import { formatPredicate } from "../policy/predicate.ts";
import type { DiodePlan } from "../../diodes/plan.ts";
import {
  POLICY_PREFIX,
  shippedDiode,
  shippedDiodes,
  shippedPolicy,
  shippedPolicyDiodes,
} from "../../diodes/shipped.ts";
import type { Command, CommandContext } from "./command.ts";
import { enclaveRules } from "./configured.ts";
import { DIODE_NAMES, leftLines, namedDiode } from "./named_diode.ts";
import { usageError } from "./usage.ts";

const list: Command = {
  name: "diode list",
  summary: "the diodes that come with vei",
  example: "vei diode list",
  run({ json, terminal }) {
    const files = shippedDiodes().map((name) => parseDiodeFile(shippedDiode(name), `${name}.toml`));
    const listed = [
      ...files.map(({ name, description, predicate }) => ({
        ...{ name, description, predicate: formatPredicate(predicate) },
      })),
      ...shippedPolicyDiodes().map((name) => {
        const policy = name.slice(POLICY_PREFIX.length);
        const { description } = readPolicy(shippedPolicy(policy), `${policy}.toml`);
        // Which of its rules have room takes seconds to find out: `vei diode show` does.
        return { name, description, predicate: null };
      }),
    ];
    if (json) terminal.json(listed);
    else {
      const width = Math.max(...listed.map(({ name }) => name.length));
      for (const { name, description } of listed) {
        terminal.out(`${name.padEnd(width)}  ${description}`);
      }
      terminal.out(
        `A diode ${POLICY_PREFIX}NAME has those rules that single packets can be held to.`,
      );
    }
    return Promise.resolve(Exit.ok);
  },
};

/** What a hostile sender can still vary without a payload byte, whatever the diode. */
const ALWAYS_OPEN = [
  "sequence, acknowledgement and window numbers, the destination port",
  "IP identification, time to live, type of service; urgent pointer, checksums",
  "when packets come, how many, and how long they are",
];
const OPEN_WITH_ATTACH = [
  "TCP options, up to 40 bytes a packet",
  "both MAC addresses; without a port in --from the source port too",
  "on a veth a VLAN tag that travels outside of the frame",
];

const show: Command = {
  name: "diode show",
  summary: "a diode's predicate, automaton, table and digests; --asm: the program",
  usage: "NAME|FILE|policy:NAME [--asm]",
  complete: DIODE_NAMES,
  example: "vei diode show json --asm",
  options: { asm: { type: "boolean", describe: "the program, instruction by instruction" } },
  async run(context) {
    const plan = await named(context);
    const { json, terminal, options } = context;
    const assembly = options.asm === true ? assemblyOf() : null;
    if (json) terminal.json({ ...factsOf(plan), source: plan.source, assembly });
    else {
      for (const line of linesOf(plan)) terminal.out(line);
      for (const line of assembly ?? []) terminal.out(line);
    }
    return Exit.ok;
  },
};

const check: Command = {
  name: "diode check",
  summary: "whether a diode's file is right, and what in it is probably not meant",
  usage: "FILE|NAME|policy:NAME",
  complete: DIODE_NAMES,
  example: "vei diode check ./mine.toml",
  async run(context) {
    const plan = await named(context);
    const { json, terminal } = context;
    if (json) terminal.json({ ok: true, ...factsOf(plan) });
    else {
      const [first, ...more] = predicateLines(plan);
      terminal.out(`${plan.name}: ${first.replace(/^predicate +/, "")}`);
      for (const line of more) terminal.out(line);
      for (const warning of plan.warnings) terminal.err(`warning: ${warning}`);
    }
    return Exit.ok;
  },
};

async function named({ positionals }: CommandContext): Promise<DiodePlan> {
  if (positionals.length !== 1) {
    throw usageError(
      "Name one diode",
      "`vei diode list` shows those that come with vei; a file's path works as well",
    );
  }
  return await namedDiode(positionals[0], enclaveRules(defaultConfig().link));
}

function assemblyOf(): string[] {
  const names = { 1: "table", 2: "config", 3: "counters", 4: "events" };
  return disassemble(diodeProgram({ table: 1, config: 2, counters: 3, events: 4 }), {
    maps: names,
  });
}

function factsOf(plan: DiodePlan) {
  const { dfa, horizon, leastSize, mostSize } = plan.judgement;
  const { kindOfClass, restless } = byteKinds(dfa);
  const everyKind = kindOfClass.reduce((all, kind) => all | kind, 0);
  return {
    name: plan.name,
    description: plan.description,
    scope: plan.file.scope,
    predicate: formatPredicate(plan.file.predicate),
    policy: plan.share,
    warnings: plan.warnings,
    sizes: { least: leastSize, most: mostSize },
    horizon,
    table: {
      states: dfa.stateCount,
      classes: dfa.classCount,
      kinds: new Set(kindOfClass).size,
      calmStates: restless.subarray(2).filter((kinds) => kinds !== everyKind).length,
      entries: tableEntries(dfa),
      mostEntries: MAX_TABLE_ENTRIES,
    },
    digests: plan.digests,
    open: { always: ALWAYS_OPEN, attached: OPEN_WITH_ATTACH },
  };
}

/** Of a policy, rule by rule: which the kernel enforces, and which the monitor alone. */
function predicateLines(plan: DiodePlan): string[] {
  const { share } = plan;
  if (share === null) return [`predicate  ${formatPredicate(plan.file.predicate)}`];
  return [
    `enforced on each packet, ${share.held.length} of ${share.held.length + share.left.length}:`,
    ...share.held.map(({ id, predicate }) => `  ${id}: ${predicate}`),
    ...(share.left.length === 0 ? [] : ["left to the monitor alone:"]),
    ...leftLines(plan).map((line) => `  ${line}`),
    ...wrapped(PACKET_LIMIT, 100, "limit      ", " ".repeat(11)),
  ];
}

function linesOf(plan: DiodePlan): string[] {
  const { sizes, horizon, table, digests, warnings } = factsOf(plan);
  const size = sizes.most === null
    ? sizes.least === 0 ? "any" : `${sizes.least} or more`
    : `${sizes.least} to ${sizes.most}`;
  return [
    `${plan.name}: ${plan.description}`,
    ...predicateLines(plan),
    ...warnings.map((warning) => `warning    ${warning}`),
    `sizes      ${size} bytes`,
    `looks at   ${horizon === null ? "the whole payload" : `the first ${horizon} bytes`}`,
    `table      ${table.states} states, ${table.classes} classes of bytes of ${table.kinds} kinds, ` +
    `${table.entries} of ${table.mostEntries} entries`,
    ...Object.entries(digests).map(([what, digest]) => `${what.padEnd(10)} sha256:${digest}`),
    "open to a hostile sender, on every link:",
    ...ALWAYS_OPEN.map((line) => `  ${line}`),
    "and where it was attached with `vei diode attach`:",
    ...OPEN_WITH_ATTACH.map((line) => `  ${line}`),
  ];
}

export const commands: readonly Command[] = [list, show, check];
