/** Reads an instance's configuration file. */
import { type Config, defaultConfig, parseConfig } from "../base/config.ts";
import { Exit, messageOf, VeiError } from "../base/errors.ts";

/**
 * @param path of `vei.toml`; a file that is not there means the defaults, unless it `mustExist`.
 * @throws VeiError `config-unreadable`, `config-invalid`: never a default in place of a bad file.
 */
export async function loadConfig(
  path: string,
  { mustExist = false }: { mustExist?: boolean } = {},
): Promise<Config> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound && !mustExist) return defaultConfig();
    throw new VeiError({
      code: "config-unreadable",
      message: `Cannot read the configuration ${path}: ${messageOf(cause)}`,
      hint: mustExist
        ? "name a file that is there and readable"
        : "mend its permissions, or remove it to run with the defaults",
      exit: Exit.config,
      cause,
    });
  }
  return parseConfig(text, path);
}
