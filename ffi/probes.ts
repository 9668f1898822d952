/** What this machine can do for VEI, found out by doing it, not by version numbers. */
import { Exit, type ExitCode, messageOf, VeiError } from "../src/base/errors.ts";
import { SystemError } from "./native.ts";
import { Absent, PROBES } from "./probe_list.ts";

export interface ProbeResult {
  name: string;
  /** What it is for, in a few words. */
  wanted: string;
  /** `unknown`: it could not be tried, for lack of rights or for another reason. */
  result: "yes" | "no" | "unknown";
  /** What was found. */
  detail: string;
  /** How to mend it; empty when there is nothing to mend. */
  hint: string;
  /** With which code a command ends that cannot do without. */
  exit: ExitCode;
}

/** Errors with which the kernel says that it has no such thing. */
const NOT_THERE = ["EINVAL", "ENOSYS", "EOPNOTSUPP", "ENOENT", "ENODEV", "ENXIO", "E2BIG"];

/**
 * @param isWanted whether a probe of this name is to be tried; default: all.
 * @returns an answer for each, in the order in which they build on each other; never throws.
 */
export function runProbes(isWanted: (name: string) => boolean = () => true): ProbeResult[] {
  return PROBES.filter(({ name }) => isWanted(name)).map(
    ({ name, wanted, hint, attempt }) => {
      try {
        const detail = attempt();
        return { name, wanted, result: "yes", detail, hint: "", exit: Exit.ok };
      } catch (error) {
        const result = judge(name, error);
        // What stopped the trial is to be mended first; the kernel's plain no has our own advice.
        const stopped = error instanceof VeiError &&
          !(result === "no" && error instanceof SystemError);
        const own = stopped ? error.hint : "";
        const detail = messageOf(error).split("\n")[0];
        return {
          name,
          wanted,
          result,
          detail,
          hint: own || hint,
          exit: exitOf(name, error),
        };
      }
    },
  );
}

/** Lack of rights and a wrong set-up have codes of their own; all else is not available. */
function exitOf(name: string, error: unknown): ExitCode {
  if (name === "capabilities") return Exit.noPermission;
  const own = error instanceof VeiError ? error.exit : Exit.unavailable;
  return own === Exit.noPermission || own === Exit.config ? own : Exit.unavailable;
}

/** Lack of rights, or anything that is not the kernel's plain no, tells nothing of the machine. */
function judge(name: string, error: unknown): "no" | "unknown" {
  if (error instanceof Absent) return "no";
  if (error instanceof SystemError) return NOT_THERE.includes(error.errno) ? "no" : "unknown";
  if (!(error instanceof VeiError)) return "unknown";
  if (error.code === "library-missing") return name === "libbpf" ? "no" : "unknown";
  return error.exit === Exit.unavailable || error.exit === Exit.config ? "no" : "unknown";
}
