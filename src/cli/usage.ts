/** The error of a command line that cannot be meant. */
import { Exit, VeiError } from "../base/errors.ts";

/** @returns VeiError `usage` (64). @param hint what to do, e.g. which help tells more. */
export function usageError(message: string, hint = ""): VeiError {
  return new VeiError({ code: "usage", message, hint, exit: Exit.usage });
}
