/** Root, where a command cannot do without. */
import { Exit, VeiError } from "../base/errors.ts";

/** @param what the sentence's subject, e.g. `vei serve`. @throws VeiError `not-root`. */
export function requireRoot(what: string): void {
  if (Deno.uid() === 0) return;
  throw new VeiError({
    code: "not-root",
    message: `${what} needs root: it works with the tap and with programs in the kernel`,
    hint: "run it with sudo",
    exit: Exit.noPermission,
  });
}
