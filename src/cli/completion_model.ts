/** The command table as the shells' completions need it: what can follow what. */
import type { Command, CommandTable, Option } from "./command.ts";
import { COMMON_OPTIONS } from "./help.ts";
import { TOPICS } from "./topics.ts";

export type PathKind = "file" | "folder";

export interface Choice {
  word: string;
  describe: string;
}

export interface CompletedOption {
  /** With its dashes: `--follow`. */
  long: string;
  /** With its dash, e.g. `-f`; null where there is none. */
  short: string | null;
  describe: string;
  takesValue: boolean;
  /** What its value can be; null where nothing is known. */
  complete: PathKind | readonly string[] | null;
}

/** A place of the command line: nothing yet, the first word of two, or a whole command. */
export interface Place {
  /** The command's words so far, e.g. "", "diode" or "diode logs". */
  at: string;
  /** Words that can follow. */
  words: Choice[];
  /** What kind of path can follow. */
  path: PathKind | null;
  options: CompletedOption[];
}

/** @returns every place, the empty one first. */
export function places(table: CommandTable): Place[] {
  const commands = table.flatMap((group) => group.commands);
  const families = [...new Set(commands.map(({ name }) => name.split(" ")))]
    .filter((words) => words.length === 2).map(([first]) => first);
  const family = (first: string): Place => ({
    at: first,
    words: commands.filter(({ name }) => name.startsWith(`${first} `))
      .map(({ name, summary }) => ({ word: name.split(" ")[1], describe: summary })),
    path: null,
    options: [optionOf("help", COMMON_OPTIONS.help)],
  });
  const first: Choice[] = [];
  for (const { name, summary } of commands) {
    const [word, second] = name.split(" ");
    if (first.some((one) => one.word === word)) continue;
    first.push({ word, describe: second === undefined ? summary : familyText(word, commands) });
  }
  return [
    {
      at: "",
      words: first,
      path: null,
      options: [
        optionOf("help", COMMON_OPTIONS.help),
        optionOf("version", { type: "boolean", short: "V", describe: "print the version" }),
      ],
    },
    ...[...new Set(families)].filter((first) => !commands.some(({ name }) => name === first))
      .map(family),
    ...commands.map((command) => placeOf(command, first)),
  ];
}

function familyText(first: string, commands: readonly Command[]): string {
  return commands.filter(({ name }) => name.startsWith(`${first} `))
    .map(({ name }) => name.split(" ")[1]).join(", ");
}

function placeOf({ name, options, complete }: Command, first: readonly Choice[]): Place {
  const topics = TOPICS.map(({ name, summary }) => ({ word: name, describe: summary }));
  const plain = (words: readonly string[]) => words.map((word) => ({ word, describe: "" }));
  const [words, path]: [Choice[], PathKind | null] = complete === undefined
    ? [[], null]
    : complete === "topic"
    ? [[...first, ...topics], null]
    : complete === "file" || complete === "folder"
    ? [[], complete]
    : "wordsOrFile" in complete
    ? [plain(complete.wordsOrFile), "file"]
    : [plain(complete), null];
  return {
    at: name,
    words,
    path,
    options: Object.entries({ ...options, ...COMMON_OPTIONS })
      .map(([name, option]) => optionOf(name, option)),
  };
}

function optionOf(name: string, option: Option): CompletedOption {
  const { short, describe, type, value } = option;
  return {
    long: `--${name}`,
    short: short === undefined ? null : `-${short}`,
    describe,
    takesValue: type === "string",
    complete: valueOf(option.complete) ?? pathKind(value ?? ""),
  };
}

function valueOf(complete: Option["complete"]): PathKind | readonly string[] | null {
  if (complete === undefined || complete === "topic") return null;
  return typeof complete === "object" && "wordsOrFile" in complete
    ? complete.wordsOrFile
    : complete;
}

function pathKind(value: string): PathKind | null {
  if (value === "DIR") return "folder";
  return value.split("|").includes("FILE") ? "file" : null;
}

/** @returns `text` as one word of a POSIX shell (and of fish, which takes `\'` too). */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Only words that name a command move on; any other is an argument. */
export function moves(places: readonly Place[]): { from: string; word: string; to: string }[] {
  const known = new Set(places.map(({ at }) => at));
  return places.flatMap(({ at, words }) =>
    words.map(({ word }) => ({ from: at, word, to: at === "" ? word : `${at} ${word}` }))
  ).filter(({ to }) => known.has(to));
}
