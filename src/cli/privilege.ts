/** Root, where a command cannot do without. */
import { Exit, VeiError } from "../base/errors.ts";
import { CAPABILITY, missingCapabilities } from "../../ffi/capabilities.ts";

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

/**
 * @returns whether we may do what the daemon does: root, or the user of a service that was given
 * just that part of root's rights. Both work on the same paths.
 */
export function maySteer(): boolean {
  return Deno.uid() === 0 || missingCapabilities().length === 0;
}

/** @param what the sentence's subject. @throws VeiError `not-root`. */
export function requireSteering(what: string): void {
  if (maySteer()) return;
  const names = (all: string[]) => all.map((name) => `CAP_${name}`).join(", ");
  throw new VeiError({
    code: "not-root",
    message: `${what} needs root, or ${names(Object.keys(CAPABILITY))}; ` +
      `missing: ${names(missingCapabilities())}`,
    hint: "run it with sudo, or as the service (systemctl start vei)",
    exit: Exit.noPermission,
  });
}
