/** `vei completions`: what bash, zsh and fish need to complete vei's command lines. */
import { Exit } from "../base/errors.ts";
import type { Command, CommandTable } from "./command.ts";
import { places } from "./completion_model.ts";
import { bashScript } from "./completions_bash.ts";
import { fishScript } from "./completions_fish.ts";
import { zshScript } from "./completions_zsh.ts";
import { usageError } from "./usage.ts";

/** The shells that there is a script for, and where a package lays it, from the prefix on. */
export const SHELLS = {
  bash: { script: bashScript, path: "share/bash-completion/completions/vei" },
  zsh: { script: zshScript, path: "share/zsh/site-functions/_vei" },
  fish: { script: fishScript, path: "share/fish/vendor_completions.d/vei.fish" },
} as const;

/**
 * @param shell `bash`, `zsh` or `fish`.
 * @param table every command: a command's run is given it as `table`.
 * @returns the completion script, which ends in a line feed.
 * @throws VeiError `usage` for any other shell.
 */
export function completionScript(shell: string, table: CommandTable): string {
  if (Object.hasOwn(SHELLS, shell)) {
    return SHELLS[shell as keyof typeof SHELLS].script(places(table));
  }
  throw usageError(
    `There is no completion for ${JSON.stringify(shell)}`,
    `one of: ${Object.keys(SHELLS).join(", ")}`,
  );
}

export const command: Command = {
  name: "completions",
  summary: "print the completion script of a shell",
  usage: "bash|zsh|fish",
  example: "vei completions bash > /usr/local/share/bash-completion/completions/vei",
  complete: Object.keys(SHELLS),
  run({ positionals, table, json, terminal }) {
    const script = completionScript(positionals.length === 1 ? positionals[0] : "", table);
    if (json) terminal.json({ shell: positionals[0], script });
    else terminal.write(script);
    return Promise.resolve(Exit.ok);
  },
};
