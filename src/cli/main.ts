/** argv → command → exit code. */
import { parseArgs } from "node:util";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { asDescriptorError } from "../host/descriptors.ts";
import { instanceOf } from "../host/instance.ts";
import { nearest } from "../policy/nearest.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import { COMMAND_TABLE, COMMANDS } from "./commands.ts";
import { COMMON_OPTIONS, familyHelp } from "./help.ts";
import { maySteer } from "./privilege.ts";
import { jsonText, processTerminal } from "./terminal.ts";
import { helpOn } from "./topics.ts";
import { VERSION } from "./version.ts";
import { usageError } from "./usage.ts";

/** Runs `vei` with these arguments and ends the process with the command's exit code. */
export async function main(args: string[]): Promise<void> {
  Deno.exit(await dispatch(args, processTerminal()));
}

/**
 * @param args as after the program's name.
 * @returns the exit code; errors are printed on `terminal`, never thrown.
 */
export async function dispatch(args: string[], terminal: Terminal): Promise<number> {
  const own = separate(args)[0];
  const json = own.includes("--json");
  let filters = false;
  try {
    if (args.length === 0 || isHelp(args[0])) {
      terminal.out(helpOn([], COMMAND_TABLE).text);
      return args.length === 0 ? Exit.usage : Exit.ok;
    }
    if (args[0] === "--version" || args[0] === "-V") {
      terminal.out(`vei ${VERSION}`);
      return Exit.ok;
    }
    const found = find(args);
    if (own.some(isHelp) && (found || familyHelp(args[0], COMMAND_TABLE) !== null)) {
      terminal.out(helpOn([found?.command.name ?? args[0]], COMMAND_TABLE).text);
      return Exit.ok;
    }
    if (!found) throw unknownCommand(args);
    filters = found.command.filters === true;
    return await found.command.run(contextOf(found.command, found.args, terminal));
  } catch (thrown) {
    return report(asDescriptorError(thrown), filters && json ? jsonOnly(terminal) : terminal, json);
  }
}

function isHelp(word: string): boolean {
  return word === "--help" || word === "-h";
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
  const names = COMMANDS.map(({ name }) => name);
  const under = names.filter((name) => name.startsWith(`${args[0]} `));
  const words = args.slice(0, under.length > 0 ? 2 : 1).filter((word) => !word.startsWith("-"));
  const asked = words.join(" ");
  const near = nearest(asked, under.length > 0 ? under : [...names, ...families()]);
  return usageError(
    under.length > 0
      ? `vei ${args[0]} needs one of: ${under.map((name) => name.split(" ")[1]).join(", ")}`
      : `There is no command ${JSON.stringify(args[0])}`,
    near === undefined || near === asked
      ? "run `vei --help`"
      : `did you mean \`vei ${near}\`? \`vei --help\` lists all commands`,
  );
}

function families(): string[] {
  return [...new Set(COMMANDS.map(({ name }) => name.split(" ")[0]))];
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
    throw usageError(
      messageOf(cause).split(". ")[0],
      optionHint(command, messageOf(cause), options),
    );
  }
  if (parsed.positionals.length > 0 && !takesArguments(command)) {
    throw usageError(
      `vei ${command.name} takes no argument, and got ${JSON.stringify(parsed.positionals[0])}`,
      `run \`vei ${command.name} --help\``,
    );
  }
  const values = parsed.values as Record<string, string | boolean | undefined>;
  const instance = instanceOf(String(values.instance ?? "vei"), {
    state: values.state === undefined ? undefined : absolute(String(values.state)),
    root: maySteer(),
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

/** Told by the usage line, where options stand in brackets: `[-f] [--since TIME]` takes none. */
function takesArguments({ usage = "" }: Command): boolean {
  return usage.replaceAll(/\[-[^\]]*\]/g, "").trim() !== "";
}

/** @param words the parser's complaint. */
function optionHint({ name }: Command, words: string, options: Record<string, unknown>): string {
  const [, unknown] = /^Unknown option '--([^']*)'/.exec(words) ?? [];
  const near = unknown === undefined ? undefined : nearest(unknown, Object.keys(options));
  return near === undefined
    ? `run \`vei ${name} --help\``
    : `did you mean --${near}? \`vei ${name} --help\` lists all options`;
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}

/** Where standard output carries data: one line on standard error, and nothing else. */
function jsonOnly(terminal: Terminal): Terminal {
  return { ...terminal, json: (value) => terminal.err(jsonText(value)), err: () => {} };
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
