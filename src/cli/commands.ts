/** The command table: what `vei` can do, in the order of `--help`. */
import type { Command } from "./command.ts";
import { command as version } from "./version.ts";

export const COMMANDS: readonly Command[] = [
  version,
];
