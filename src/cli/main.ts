/** argv → command → exit code. */
import { parseArgs } from "node:util";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { instanceOf } from "../host/instance.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import { COMMAND_TABLE, COMMANDS } from "./commands.ts";
import { COMMON_OPTIONS, helpOf, overview } from "./help.ts";
import { processTerminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** Runs `vei` with these arguments and ends the process with the command's exit code. */
export async function main(args: string[]): Promise<void> {
  Deno.exit(await dispatch(args, processTerminal()));
}

/**
 * @param args as after the program's name.
 * @returns the exit code; errors are printed on `terminal`, never thrown.
 */
export async function dispatch(args: string[], terminal: Terminal): Promise<number> {
  const json = args.includes("--json");
  try {
    if (args.length === 0 || args[0] === "--help" || args[0] === "-h" || args[0] === "help") {
      const topic = args[0] === "help" ? find(args.slice(1)) : null;
      terminal.out(topic ? helpOf(topic.command) : overview(COMMAND_TABLE));
      return args.length === 0 ? Exit.usage : Exit.ok;
    }
    if (args[0] === "--version" || args[0] === "-V") {
      terminal.out(`vei ${VERSION}`);
      return Exit.ok;
    }
    const found = find(args);
    if (!found) throw unknownCommand(args);
    if (separate(found.args)[0].some((word) => word === "--help" || word === "-h")) {
      terminal.out(helpOf(found.command));
      return Exit.ok;
    }
    return await found.command.run(contextOf(found.command, found.args, terminal));
  } catch (thrown) {
    return report(thrown, terminal, json);
  }
}

function find(args: string[]): { command: Command; args: string[] } | null {
  for (const length of [2, 1]) {
    const name = args.slice(0, length).join(" ");
    const command = args.length < length ? undefined : COMMANDS.find((one) => one.name === name);
    if (command) return { command, args: args.slice(length) };
  }
  return null;
}

function unknownCommand(args: string[]): VeiError {
  const under = COMMANDS.filter((one) => one.name.startsWith(`${args[0]} `));
  return usage(
    under.length > 0
      ? `vei ${args[0]} needs one of: ${under.map((one) => one.name.split(" ")[1]).join(", ")}`
      : `There is no command ${JSON.stringify(args[0])}`,
    "run `vei --help`",
  );
}

function usage(message: string, hint: string): VeiError {
  return new VeiError({ code: "usage", message, hint, exit: Exit.usage });
}

/** Splits at the first `--`: our arguments, and those of a program that we start. */
function separate(args: string[]): [string[], string[]] {
  const at = args.indexOf("--");
  return at < 0 ? [args, []] : [args.slice(0, at), args.slice(at + 1)];
}

function contextOf(command: Command, args: string[], terminal: Terminal): CommandContext {
  const [own, rest] = separate(args);
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const [name, option] of Object.entries({ ...command.options, ...COMMON_OPTIONS })) {
    options[name] = { type: option.type, ...(option.short ? { short: option.short } : {}) };
  }
  let parsed;
  try {
    parsed = parseArgs({ args: own, options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw usage(messageOf(cause).split(". ")[0], `run \`vei ${command.name} --help\``);
  }
  const values = parsed.values as Record<string, string | boolean | undefined>;
  const instance = instanceOf(String(values.instance ?? "vei"), {
    state: values.state === undefined ? undefined : absolute(String(values.state)),
    root: Deno.uid() === 0,
    home: Deno.env.get("HOME"),
  });
  return {
    positionals: parsed.positionals,
    rest,
    options: values,
    instance,
    json: values.json === true,
    terminal,
    table: COMMAND_TABLE,
  };
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}

function report(thrown: unknown, terminal: Terminal, json: boolean): number {
  // A failure while cleaning up after a failure: the first one is what the user asks about.
  if (thrown instanceof SuppressedError) {
    terminal.err(`vei: and then: ${messageOf(thrown.error)}`);
    return report(thrown.suppressed, terminal, json);
  }
  if (thrown instanceof VeiError) {
    if (json) terminal.json({ error: thrown.toJSON() });
    terminal.err(`vei: ${thrown.message} [${thrown.code}]`);
    if (thrown.hint !== "") terminal.err(`     ${thrown.hint}`);
    return thrown.exit;
  }
  if (json) terminal.json({ error: { code: "internal", message: messageOf(thrown), hint: "" } });
  terminal.err(`vei: internal error: ${messageOf(thrown)}`);
  if (thrown instanceof Error && thrown.stack) terminal.err(thrown.stack);
  return Exit.internal;
}
