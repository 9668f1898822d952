/** `vei man`: the manual page vei(1), made from the command table and the configuration's schema. */
import { configTables } from "../base/config_reference.ts";
import { Exit, EXIT_MEANINGS } from "../base/errors.ts";
import type { Command, CommandTable, Option } from "./command.ts";
import { COMMON_OPTIONS, optionWords } from "./help.ts";
import { FILES } from "./topics/files.ts";
import { VERSION } from "./version.ts";

/**
 * @param table every command: a command's run is given it as `table`.
 * @returns the page in roff, man(7)'s macros; it ends in a line feed.
 */
export function manPage(table: CommandTable): string {
  return [
    `.TH VEI 1 "" ${word(`vei ${VERSION}`)} "User Commands"`,
    ".SH NAME",
    "vei \\- run a language model behind a gate in the kernel",
    ".SH SYNOPSIS",
    ".B vei",
    ".I COMMAND",
    ".RI [ OPTIONS ]",
    ".SH DESCRIPTION",
    ...paragraph(
      "VEI runs a language model that nobody has to trust in a virtual machine whose only wire is " +
        "a network interface of its own. On that wire, in the kernel, a program drops every frame " +
        "that breaks a chosen rule (the diode); in front of the user a monitor looks at the text " +
        "of each answer and ends it before a violation of the policy is complete. Every exchange " +
        "leaves a signed receipt.",
    ),
    ...table.flatMap(({ title, commands }) => [
      `.SH ${word(title.toUpperCase())}`,
      ...commands.flatMap(commandLines),
    ]),
    ".SH COMMON OPTIONS",
    ...paragraph("Every command takes these, after its name."),
    ...optionLines(COMMON_OPTIONS),
    ".SH CONFIGURATION",
    ...paragraph("The keys of vei.toml, with their defaults. An unknown key is an error."),
    ...configTables().flatMap(({ name, keys }) =>
      keys.flatMap((key) => [
        ".TP",
        `.B ${word(`[${name}] ${key.name} = ${key.fallback}`)}`,
        ...paragraph(`${key.describe} (${key.kind}).`),
      ])
    ),
    ".SH FILES",
    ...FILES.flatMap(([path, what]) => [".TP", `.I ${word(path)}`, ...paragraph(`${what}.`)]),
    ".SH ENVIRONMENT",
    ".TP",
    ".B NO_COLOR",
    ...paragraph("When it is set and not empty, nothing is coloured."),
    ".SH EXIT STATUS",
    ...Object.entries(EXIT_MEANINGS).flatMap(([code, meaning]) => [
      ".TP",
      `.B ${code}`,
      ...paragraph(`${meaning}.`),
    ]),
    ".SH SEE ALSO",
    ".B vei help",
    "lists topics and commands;",
    '.BI "vei help " CODE',
    "explains an error.",
    "",
  ].join("\n");
}

function commandLines({ name, usage, summary, notes, example, options }: Command): string[] {
  return [
    `.SS ${word(`vei ${name}${usage === undefined ? "" : ` ${usage}`}`)}`,
    ...paragraph(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`),
    ...(notes ?? []).flatMap((note) => [".PP", ...paragraph(note)]),
    ...optionLines(options ?? {}),
    ".PP",
    "Example:",
    `.B ${word(example)}`,
  ];
}

function optionLines(options: Record<string, Option>): string[] {
  return Object.entries(options).flatMap(([name, option]) => [
    ".TP",
    `.B ${word(optionWords(name, option))}`,
    ...paragraph(option.describe),
  ]);
}

/** One argument of a macro. */
function word(text: string): string {
  return `"${escape(text).replaceAll('"', "\\(dq")}"`;
}

/** Lines of running text: one that begins with a dot or an apostrophe would be a macro. */
function paragraph(text: string): string[] {
  return [escape(text).replace(/^(?=[.'])/, "\\&")];
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-");
}

export const command: Command = {
  name: "man",
  summary: "print the manual page vei(1)",
  example: "vei man | man -l -",
  run({ table, json, terminal }) {
    if (json) terminal.json({ man: manPage(table) });
    else terminal.write(manPage(table));
    return Promise.resolve(Exit.ok);
  },
};
