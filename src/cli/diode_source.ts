/** A diode by its shipped name or its file's path, as a user gives it. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { shippedDiode } from "../../diodes/plan.ts";

/**
 * @param name a shipped diode's name, or the path of a file: with a slash in it.
 * @returns the file's text, and the path that errors name.
 * @throws VeiError `diode-unknown`, `diode-unreadable`.
 */
export async function diodeSource(name: string): Promise<{ text: string; path: string }> {
  if (!name.includes("/")) return { text: shippedDiode(name), path: `${name}.toml` };
  try {
    return { text: await Deno.readTextFile(name), path: name };
  } catch (cause) {
    throw new VeiError({
      code: "diode-unreadable",
      message: `Cannot read the diode ${name}: ${messageOf(cause)}`,
      hint: "a diode is named by a shipped one's name or by the path of a file",
      exit: Exit.config,
      cause,
    });
  }
}
