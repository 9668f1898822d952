/** `--help`, made from the command table. */
import type { Command, CommandTable, Option } from "./command.ts";
import { VERSION } from "./version.ts";

/** The options that every command takes. */
export const COMMON_OPTIONS: Record<string, Option> = {
  instance: { type: "string", value: "NAME", describe: "the instance (default: vei)" },
  state: { type: "string", value: "DIR", describe: "another state folder" },
  json: { type: "boolean", describe: "answer in JSON" },
  help: { type: "boolean", short: "h", describe: "show this help" },
};

/** @returns an option as it is written: `-f, --follow`, `--out FILE`. */
export function optionWords(name: string, { short, value }: Option): string {
  return `${short === undefined ? "" : `-${short}, `}--${name}${value ? ` ${value}` : ""}`;
}

function table(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}

/** @returns the overview of all commands. */
export function overview(groups: CommandTable): string {
  return [
    `vei ${VERSION} - Verified Egress Inference`,
    "",
    "Runs a language model that you do not trust in a virtual machine with one wire, and puts a",
    "gate in the kernel on that wire.",
    "",
    "Usage: vei COMMAND [OPTIONS]",
    "",
    ...groups.flatMap(({ title, commands }) => [
      `${title}:`,
      table(commands.map((command) => [command.name, command.summary])),
      "",
    ]),
    "`vei COMMAND --help` tells more of each. Exit codes: 0 done, 1 what was checked is not so,",
    "64 usage, 69 something needed is not available, 75 try again, 77 not permitted, 78 configuration.",
  ].join("\n");
}

/** @returns the help of one command. */
export function helpOf(command: Command): string {
  const options = { ...command.options, ...COMMON_OPTIONS };
  const rows = Object.entries(options).map(([name, option]): [string, string] => [
    optionWords(name, option),
    option.describe,
  ]);
  return [
    `vei ${command.name}: ${command.summary}`,
    "",
    `Usage: vei ${command.name}${command.usage ? ` ${command.usage}` : ""} [OPTIONS]`,
    "",
    table(rows),
    "",
    `Example: ${command.example}`,
  ].join("\n");
}
