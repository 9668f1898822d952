/** `--help`, made from the command table. */
import { wrapped } from "../base/wrap.ts";
import type { Command, CommandTable, Option } from "./command.ts";
import { columns, type Topic } from "./topics/topic.ts";
import { VERSION } from "./version.ts";

/** The options that every command takes. */
export const COMMON_OPTIONS: Record<string, Option> = {
  instance: { type: "string", value: "NAME", describe: "the instance (default: vei)" },
  state: { type: "string", value: "DIR", describe: "another state folder" },
  json: { type: "boolean", describe: "answer in JSON" },
  help: { type: "boolean", short: "h", describe: "show this help" },
};

/** A terminal's usual width. */
const WIDTH = 80;

/** @returns an option as it is written: `-f, --follow`, `--out FILE`. */
export function optionWords(name: string, { short, value }: Option): string {
  return `${short === undefined ? "" : `-${short}, `}--${name}${value ? ` ${value}` : ""}`;
}

/** The overview keeps to what a command does; its own help adds what stands after the semicolon. */
function brief({ summary }: Command, width: number): string {
  for (const end of [";", ":", ","]) {
    const [text] = summary.split(";")[0].split(end);
    if (text.length <= width) return text;
  }
  return summary;
}

/** @returns the overview of all commands, no line longer than 80 columns where summaries allow. */
export function overview(table: CommandTable, topics: readonly Topic[]): string {
  const width = Math.max(
    ...table.flatMap(({ commands }) => commands.map((one) => one.name.length)),
  );
  return [
    `vei ${VERSION} - Verified Egress Inference`,
    "",
    "Runs a language model that you do not trust in a virtual machine with one wire,",
    "and puts a gate in the kernel on that wire.",
    "",
    "Usage: vei COMMAND [OPTIONS]",
    "",
    ...table.flatMap(({ title, commands }) => [
      title,
      ...commands.map((one) => `  ${one.name.padEnd(width)}  ${brief(one, WIDTH - width - 4)}`),
      "",
    ]),
    "`vei help COMMAND` tells more of a command, `vei help CODE` of an error, and",
    "`vei help TOPIC` of:",
    ...listed(topics.map(({ name }) => name)),
  ].join("\n");
}

/** Words with commas between, in lines of at most 80 columns. */
function listed(words: string[]): string[] {
  const lines: string[] = [];
  for (const [i, word] of words.entries()) {
    const text = i === words.length - 1 ? word : `${word},`;
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + text.length > WIDTH) lines.push(`  ${text}`);
    else lines[lines.length - 1] = `${last} ${text}`;
  }
  return lines;
}

/** @returns the help of one command. */
export function helpOf(command: Command): string {
  const options = { ...command.options, ...COMMON_OPTIONS };
  // Aligned at the long names: the short ones stand before them.
  const rows = Object.entries(options).map(([name, option]): [string, string] => [
    `${option.short === undefined ? "    " : ""}${optionWords(name, option)}`,
    option.describe,
  ]);
  return [
    `vei ${command.name}: ${command.summary}`,
    "",
    `Usage: vei ${command.name}${command.usage ? ` ${command.usage}` : ""} [OPTIONS]`,
    "",
    ...(command.notes ?? []).flatMap((note) => [...wrapped(note, WIDTH, "", ""), ""]),
    columns(rows),
    "",
    `Example: ${command.example}`,
  ].join("\n");
}

/** @returns the commands that begin with this word, or null where there is none. */
export function familyHelp(first: string, table: CommandTable): string | null {
  const family = table.flatMap(({ commands }) => commands)
    .filter(({ name }) => name.startsWith(`${first} `));
  if (family.length === 0) return null;
  return [
    `Usage: vei ${first} COMMAND [OPTIONS]`,
    "",
    columns(family.map((command): [string, string] => [command.name, command.summary])),
    "",
    `\`vei ${first} COMMAND --help\` tells more of each.`,
  ].join("\n");
}
