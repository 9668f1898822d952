/** Reads an instance's configuration file. */
import { sha256 } from "../base/bytes.ts";
import { type Config, defaultConfig, parseConfig } from "../base/config.ts";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import type { CommandContext, Option } from "./command.ts";

/** Of commands that take the configuration of an instance. */
export const CONFIG_OPTION: Record<"config", Option> = {
  config: {
    type: "string",
    value: "FILE",
    describe: "read the configuration from there instead of /etc/NAME/vei.toml",
  },
};

/** @returns where the configuration is read; `named`: on the command line, so it must be there. */
export function configPlace(
  { instance, options }: Pick<CommandContext, "instance" | "options">,
): { path: string; named: boolean } {
  const named = options.config !== undefined;
  return { path: named ? String(options.config) : instance.config, named };
}

/**
 * @param path of `vei.toml`; a file that is not there means the defaults, unless it `mustExist`.
 * @throws VeiError `config-unreadable`, `config-invalid`: never a default in place of a bad file.
 */
export async function loadConfig(
  path: string,
  options: { mustExist?: boolean } = {},
): Promise<Config> {
  return (await readConfig(path, options)).config;
}

/** The same. @returns also the SHA-256 of the file's bytes; null where there is no file. */
export async function readConfig(
  path: string,
  { mustExist = false }: { mustExist?: boolean } = {},
): Promise<{ config: Config; sha256: string | null }> {
  let bytes: Uint8Array;
  let text: string;
  try {
    bytes = await Deno.readFile(path);
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound && !mustExist) {
      return { config: defaultConfig(), sha256: null };
    }
    throw new VeiError({
      code: "config-unreadable",
      message: `Cannot read the configuration ${path}: ${messageOf(cause)}`,
      hint: mustExist
        ? "name a file that is there and readable, or put it back"
        : "mend its permissions, or remove it to run with the defaults",
      exit: Exit.config,
      cause,
    });
  }
  return { config: parseConfig(text, path), sha256: await sha256(bytes) };
}
