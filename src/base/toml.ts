/** What went wrong with a TOML document, in words. */
import { TomlError } from "smol-toml";

/** @returns `:LINE:COLUMN` (empty where unknown) and the first line of the parser's complaint. */
export function tomlProblem(cause: unknown): { where: string; why: string } {
  return {
    where: cause instanceof TomlError ? `:${cause.line}:${cause.column}` : "",
    why: cause instanceof Error ? cause.message.split("\n")[0] : String(cause),
  };
}
