/** What a command is: its words in `--help` and what it does. One file per command. */
import type { Instance } from "../host/instance.ts";

export interface Option {
  type: "string" | "boolean";
  /** e.g. `FILE`; for options with a value. */
  value?: string;
  /** One letter, e.g. `f` for `-f`. */
  short?: string;
  describe: string;
  /** What a shell completes; by default files and folders, told by `value`. */
  complete?: Completion;
}

/**
 * What can stand at a place of the command line: a kind of path, what has help, these words, or one
 * of these words or else a file.
 */
export type Completion =
  | "file"
  | "folder"
  | "topic"
  | readonly string[]
  | { readonly wordsOrFile: readonly string[] };

/** Where a command prints. Nothing else prints. Lines are made printable: they steer no terminal. */
export interface Terminal {
  /** A line on standard output. */
  out(line: string): void;
  /** Text on standard output, as it is (no line end added, nothing taken out). */
  write(text: string): void;
  /** A line on standard error. */
  err(line: string): void;
  /** Replaces the last unfinished line of standard error; only where it is a terminal. */
  redraw(line: string): void;
  /** One JSON value on standard output. */
  json(value: unknown): void;
  /** Whether standard error is a terminal: progress may be redrawn. */
  readonly interactive: boolean;
  /** @returns the size of the terminal that standard output is now; null where it is none. */
  screen(): Screen | null;
  /** @returns whether the reader of standard output has gone, as far as writing has told. */
  gone(): boolean;
}

export interface Screen {
  columns: number;
  rows: number;
  /** Whether to colour: not where NO_COLOR is set (no-color.org) or the terminal is dumb. */
  colour: boolean;
}

export interface CommandContext {
  /** What stands after the command's name, options taken out. */
  positionals: string[];
  /** What stands after `--`. */
  rest: string[];
  options: Record<string, string | boolean | undefined>;
  instance: Instance;
  /** `--json` was given. */
  json: boolean;
  terminal: Terminal;
  /** Every command, for those that speak of the others. */
  table: CommandTable;
}

export interface Command {
  /** One word, or two: `diode status`. */
  name: string;
  summary: string;
  /** What follows the name in the usage line, e.g. `[--out FILE] ID`. */
  usage?: string;
  /** What else there is to know, in paragraphs. */
  notes?: readonly string[];
  /** A command line that works. */
  example: string;
  /** Besides the common ones (--instance, --state, --json, --help). */
  options?: Record<string, Option>;
  /** Standard output carries data: with --json too, errors go to standard error alone. */
  filters?: true;
  /** What a shell completes after the name, besides options; default: nothing. */
  complete?: Completion;
  /** @returns the exit code. @throws VeiError, which the caller prints with its hint. */
  run(context: CommandContext): Promise<number>;
}

/** Commands that belong together, under one heading of `--help`. */
export interface CommandGroup {
  title: string;
  commands: readonly Command[];
}

/** What `vei` can do, in the order of `--help`. */
export type CommandTable = readonly CommandGroup[];
