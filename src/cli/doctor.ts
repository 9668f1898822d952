/** `vei doctor`: each need with what was found, what was wanted, and how to mend it. */
import { defaultConfig } from "../base/config.ts";
import { Exit, type ExitCode } from "../base/errors.ts";
import type { Command, CommandContext } from "./command.ts";
import { writeReport } from "./doctor_report.ts";
import { findEndpoint } from "./endpoint.ts";
import { configPlace, loadConfig } from "./load_config.ts";
import { type Group, GROUPS, type Need, type Place } from "./need.ts";
import { allNeeds } from "./needs.ts";
import { printable } from "./terminal.ts";
import { usageError } from "./usage.ts";

/** What `vei doctor --json` prints. Fields may be added; those that are there keep their meaning. */
export interface Diagnosis {
  format: 1;
  /** Everything that is needed is there. */
  ok: boolean;
  /** The exit code. */
  exit: number;
  needs: Omit<Need, "exit">[];
}

export const command: Command = {
  name: "doctor",
  summary: "what this machine has of what vei needs, tried; exit 0 only when all of it is there",
  usage: "[--deep] [--config FILE] [--report [FILE]]",
  example: "sudo vei doctor",
  options: {
    config: {
      type: "string",
      value: "FILE",
      describe: "look at this configuration instead of /etc/NAME/vei.toml",
    },
    deep: { type: "boolean", describe: "read every byte of the image and the model, too" },
    report: {
      type: "boolean",
      describe: "write a report for an issue, without secrets, prompts and answers, to FILE",
    },
  },
  async run(context) {
    const { json, options, positionals, terminal } = context;
    if (positionals.length > (options.report ? 1 : 0)) {
      throw usageError(
        "vei doctor takes a file's name with --report only",
        "for example: vei doctor --report report.json",
      );
    }
    const place = await placeOf(context);
    const needs = await allNeeds(place);
    const exit = verdict(needs);
    const diagnosis: Diagnosis = {
      ...{ format: 1, ok: exit === Exit.ok, exit },
      needs: needs.map(({ exit: _, ...need }) => need),
    };
    if (options.report) {
      return await writeReport({ place, diagnosis, path: positionals[0], json, terminal });
    }
    if (json) terminal.json(diagnosis);
    else for (const line of linesOf(needs)) terminal.out(printable(line));
    return exit;
  },
};

async function placeOf({ instance, options }: CommandContext): Promise<Place> {
  const { path: configPath, named: configNamed } = configPlace({ instance, options });
  const common = {
    ...{ instance, configPath, configNamed },
    deep: options.deep === true,
    root: Deno.uid() === 0,
    daemon: await findEndpoint(instance),
  };
  try {
    const config = await loadConfig(configPath, { mustExist: configNamed });
    return { ...common, config, configFault: null };
  } catch (configFault) {
    return { ...common, config: defaultConfig(), configFault };
  }
}

/** Said of what is not needed, so that nobody mends what is not broken. */
const OPTIONAL: Record<Group, string> = {
  kernel: "",
  machine: " (works without)",
  state: "",
  config: "",
  setup: " (only `vei setup` runs it)",
  service: " (for information)",
};

/** @returns 69 when something needed is not there, else 2 when that cannot be told of something. */
function verdict(needs: readonly Need[]): ExitCode {
  const results = needs.filter(({ needed }) => needed).map(({ result }) => result);
  if (results.includes("no")) return Exit.unavailable;
  return results.includes("unknown") ? Exit.unknown : Exit.ok;
}

function linesOf(needs: readonly Need[]): string[] {
  const lines: string[] = [];
  for (const [group, title] of Object.entries(GROUPS)) {
    lines.push(...lines.length > 0 ? [""] : [], title);
    for (const need of needs) if (need.group === group) lines.push(...linesOfNeed(need));
  }
  const names = (result: Need["result"]) =>
    needs.filter((need) => need.needed && need.result === result).map(({ id }) => id).join(", ");
  const [missing, unknown] = [names("no"), names("unknown")];
  lines.push("");
  if (missing !== "") lines.push(`Missing: ${missing}`);
  if (unknown !== "") lines.push(`Cannot be told: ${unknown}`);
  if (missing + unknown === "") lines.push("Everything that `vei serve` needs is there.");
  return lines;
}

function linesOfNeed({ id, group, wanted, found, result, needed, mend }: Need): string[] {
  const mark = result === "yes"
    ? "ok"
    : result === "unknown"
    ? "unknown"
    : needed
    ? "MISSING"
    : "absent";
  const lines = [`  ${mark.padEnd(8)} ${id.padEnd(19)} ${found}`];
  if (result === "yes") return lines;
  const indent = " ".repeat(11);
  lines.push(`${indent}wanted   ${wanted}${needed ? "" : OPTIONAL[group]}`);
  if (mend !== "") lines.push(`${indent}mend     ${mend}`);
  return lines;
}
