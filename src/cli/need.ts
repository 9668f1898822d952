/** What a need is, and how what became of a trial is judged: yes, no, or unknown. */
import type { Config } from "../base/config.ts";
import { Exit, type ExitCode, messageOf, VeiError } from "../base/errors.ts";
import type { Instance } from "../host/instance.ts";
import type { Endpoint } from "./endpoint.ts";

/** The groups of `vei doctor`, in its order, with the words that stand over each. */
export const GROUPS = {
  kernel: "Kernel",
  machine: "Virtual machine",
  state: "State folder",
  config: "Configuration",
  setup: "What `vei setup` runs",
  service: "Service",
} as const;

export type Group = keyof typeof GROUPS;

/** What can be said of a need before anything is looked at; the list of failures is made of it. */
export interface NeedText {
  /** Stable: scripts and people look it up. */
  id: string;
  group: Group;
  /** What it is for, in a few words. */
  wanted: string;
  /** Without it `vei serve` cannot work, or would not be what it says. */
  needed: boolean;
  /** What it means when it is not there. */
  means: string;
  /** What to do then: a command to run, where there is one. */
  mend: string;
}

/** A need that was looked at. `vei doctor --json` prints these, so the names stay. */
export interface Need {
  id: string;
  group: Group;
  wanted: string;
  found: string;
  /** `unknown`: it could not be told, for lack of rights or for another reason. */
  result: "yes" | "no" | "unknown";
  needed: boolean;
  /** How to mend it; empty when there is nothing to mend. */
  mend: string;
  /** With which code a command ends that cannot do without; for `requireMachine`. */
  exit: ExitCode;
}

/** What the checks look at. */
export interface Place {
  instance: Instance;
  /** The file that was read, or would be. */
  configPath: string;
  /** It was named by the user, so it has to be there. */
  configNamed: boolean;
  config: Config;
  /** Why `config` is not what the file says: then it holds the defaults. */
  configFault: unknown;
  /** Read every byte of image and model. */
  deep: boolean;
  root: boolean;
  /** The daemon that runs, null when there is none. */
  daemon: Endpoint | null;
}

/** One thing that is looked at. */
export interface Check<P = Place> extends NeedText {
  /** Where it depends on the configuration whether it is needed. */
  neededFor?(place: P): boolean;
  /**
   * Tries it and takes back what it made.
   * @returns what was found, in a few words.
   * @throws Lacking, NotTold; a VeiError counts as lacking unless it is for lack of rights, anything
   * else as not told.
   */
  find(place: P): string | Promise<string>;
}

/** It was tried, and it is not there. */
export class Lacking extends Error {
  constructor(message: string, readonly mend = "") {
    super(message);
  }
}

/** It cannot be told. */
export class NotTold extends Error {
  constructor(message: string, readonly mend = "") {
    super(message);
  }
}

/** @returns the error of a command that cannot do without. */
export function needMissing(
  { id, wanted, found, mend, exit = Exit.unavailable }:
    & Pick<Need, "id" | "wanted" | "found" | "mend">
    & Partial<Pick<Need, "exit">>,
): VeiError {
  return new VeiError({
    code: "need-missing",
    message: `${id} (${wanted}): ${found}`,
    hint: mend === "" ? "run `vei doctor`" : mend,
    exit,
  });
}

export const AS_ROOT = "sudo vei doctor";

/** @throws NotTold when we are not root. */
export function requireRootFor(place: Pick<Place, "root">): void {
  if (!place.root) throw new NotTold("only root can try it", AS_ROOT);
}

/** @returns what became of a check; never throws. */
export async function lookAt<P>(check: Check<P>, place: P): Promise<Need> {
  const { id, group, wanted } = check;
  const needed = check.neededFor?.(place) ?? check.needed;
  const need = { id, group, wanted, needed };
  try {
    const found = await check.find(place);
    return { ...need, found, result: "yes", mend: "", exit: Exit.ok };
  } catch (thrown) {
    return { ...need, ...judged(thrown, check.mend) };
  }
}

function judged(thrown: unknown, mend: string): Pick<Need, "found" | "result" | "mend" | "exit"> {
  const [found] = messageOf(thrown).split("\n");
  if (thrown instanceof Lacking) {
    return { found, result: "no", mend: thrown.mend || mend, exit: Exit.unavailable };
  }
  if (thrown instanceof NotTold) {
    return { found, result: "unknown", mend: thrown.mend || mend, exit: Exit.unavailable };
  }
  if (isForLackOfRights(thrown)) {
    return { found, result: "unknown", mend: AS_ROOT, exit: Exit.noPermission };
  }
  if (thrown instanceof VeiError) {
    // "Run vei doctor" helps nobody here.
    const own = thrown.code === "program-missing" ? "" : thrown.hint;
    return { found, result: "no", mend: own || mend, exit: thrown.exit };
  }
  return { found, result: "unknown", mend, exit: Exit.unavailable };
}

function isForLackOfRights(thrown: unknown): boolean {
  if (thrown instanceof Deno.errors.PermissionDenied) return true;
  if (!(thrown instanceof VeiError)) return false;
  return thrown.exit === Exit.noPermission || isForLackOfRights(thrown.cause);
}
