/** How many descriptors this process may have open. */
import { Exit, VeiError } from "../base/errors.ts";

/** The daemon, its programs and a handful of clients. */
const FEWEST = 256;
const HINT = "raise the limit: `ulimit -n 4096` in the shell, LimitNOFILE= in a service's unit";

/**
 * @param limits text of /proc/self/limits (proc_pid_limits(5)).
 * @returns the limit in force; Infinity where there is none.
 */
export function descriptorLimit(limits = Deno.readTextFileSync("/proc/self/limits")): number {
  const [, soft] = /^Max open files +(\S+)/m.exec(limits) ?? [];
  return soft === undefined || soft === "unlimited" ? Infinity : Number(soft);
}

/**
 * To be asked before anything is made: what runs out of descriptors half-way fails in odd places.
 * @throws VeiError `out-of-descriptors`.
 */
export function requireDescriptors(limit = descriptorLimit()): void {
  if (limit >= FEWEST) return;
  throw tooFew(`At most ${limit} descriptors may be open, and it takes ${FEWEST}`);
}

/** @returns what to throw instead of an error that means that there are no more descriptors. */
export function asDescriptorError(thrown: unknown): unknown {
  for (let one = thrown; one instanceof Error; one = one.cause) {
    if (/EMFILE|ENFILE|Too many open files/.test(one.message)) {
      return tooFew(`There are no more descriptors: ${one.message}`, thrown);
    }
  }
  return thrown;
}

function tooFew(message: string, cause?: unknown): VeiError {
  return new VeiError({
    ...{ code: "out-of-descriptors", message, hint: HINT, exit: Exit.unavailable, cause },
  });
}
