/** A diode or a policy by its shipped name or its file's path, as people and configurations give it. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { shippedDiode, shippedPolicy } from "../../diodes/shipped.ts";

const SHIPPED = { diode: shippedDiode, policy: shippedPolicy } as const;

/** A file's text, and the path that errors name. */
export interface NamedText {
  text: string;
  path: string;
}

/**
 * @param name a shipped one's name, or the path of a file: with a slash in it.
 * @param hint what to do when the file cannot be read.
 * @throws VeiError `diode-unknown`, `diode-unreadable`, `policy-unknown`, `policy-unreadable`.
 */
export async function namedText(
  what: keyof typeof SHIPPED,
  name: string,
  hint: string,
): Promise<NamedText> {
  if (!name.includes("/")) return { text: SHIPPED[what](name), path: `${name}.toml` };
  try {
    return { text: await Deno.readTextFile(name), path: name };
  } catch (cause) {
    throw new VeiError({
      code: `${what}-unreadable`,
      message: `Cannot read the ${what} ${name}: ${messageOf(cause)}`,
      hint,
      exit: Exit.config,
      cause,
    });
  }
}

/** A diode named on a command line. @throws VeiError as namedText. */
export function diodeSource(name: string): Promise<NamedText> {
  return namedText(
    "diode",
    name,
    "a diode is named by a shipped one's name or by the path of a file",
  );
}
