/** `vei help`: the commands, the topics, and what the errors mean. */
import { Exit, type VeiError } from "../base/errors.ts";
import { nearest } from "../policy/nearest.ts";
import type { Command, CommandTable } from "./command.ts";
import { familyHelp, helpOf, overview } from "./help.ts";
import { failureCodes, failureOf } from "./topics/failures.ts";
import { diodes, policies, security } from "./topics/gate.ts";
import type { Topic } from "./topics/topic.ts";
import { config, exitCodes, failures, files, instance, receipts } from "./topics/use.ts";
import { usageError } from "./usage.ts";

/** In the order of `vei help`. */
export const TOPICS: readonly Topic[] = [
  config,
  diodes,
  policies,
  receipts,
  security,
  instance,
  files,
  exitCodes,
  failures,
];

export interface Answer {
  kind: "overview" | "command" | "topic" | "failure";
  text: string;
}

/**
 * @param words what stands after `vei help`: a command, a topic, or an error's code.
 * @throws VeiError `usage`, with the nearest that there is.
 */
export function helpOn(words: readonly string[], table: CommandTable): Answer {
  const commands = table.flatMap((group) => group.commands);
  const asked = words.join(" ");
  if (words.length === 0) return { kind: "overview", text: overview(table, TOPICS) };
  const command = commands.find(({ name }) => name === asked);
  if (command) return { kind: "command", text: helpOf(command) };
  const family = familyHelp(asked, table);
  if (family !== null) return { kind: "command", text: family };
  const topic = TOPICS.find(({ name }) => name === asked);
  if (topic) return { kind: "topic", text: `${topic.name}: ${topic.summary}\n\n${topic.text()}` };
  const failure = failureOf(asked);
  if (failure) {
    const { codes, means, mend } = failure;
    return { kind: "failure", text: `${codes.join(", ")}\n\n${means}.\n\nWhat to do: ${mend}.` };
  }
  throw unknown(asked, commands);
}

function unknown(asked: string, commands: readonly Command[]): VeiError {
  const near = nearest(asked, [
    ...commands.map(({ name }) => name),
    ...TOPICS.map(({ name }) => name),
    ...failureCodes(),
  ]);
  return usageError(
    `There is no help on ${JSON.stringify(asked)}`,
    near === undefined
      ? "run `vei help`: it lists commands and topics"
      : `did you mean \`vei help ${near}\`?`,
  );
}

export const command: Command = {
  name: "help",
  summary: "help on a command, a topic or an error's code",
  usage: "[COMMAND | TOPIC | CODE]",
  example: "vei help tap-busy",
  complete: "topic",
  run({ positionals, table, json, terminal }) {
    const answer = helpOn(positionals, table);
    if (json) terminal.json(answer);
    else terminal.out(answer.text);
    return Promise.resolve(Exit.ok);
  },
};
