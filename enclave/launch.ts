/** Starts a program in the jail: opens what it inherits, starts it, and lets go of its own copies. */
import { closeOnExecAll } from "../ffi/process.ts";
import type { Fd } from "../ffi/native.ts";
import { start } from "../src/host/run.ts";
import { JAIL_PATH } from "./closure.ts";
import { jailArguments, type JailSpec } from "./jail.ts";
import { descendantsOf, killAll, nameOf, type ProcessName } from "./processes.ts";

/** Keeps descriptors until the child has them. */
export type Keep = (fd: Fd) => number;

export interface LaunchOptions {
  /** A new file (0600) for what the program prints; an earlier one is replaced. */
  log: string;
  /**
   * Opens what the child inherits and says what to run; called at the last moment. Each descriptor
   * goes through `keep`, which gives its number and closes it when the child runs.
   */
  prepare: (keep: Keep) => JailSpec;
}

/**
 * Synchronous from the first descriptor to the child's start, so that no other child of ours, started
 * in between, gets a descriptor that is not meant for it. Standard output is a file, not a pipe: the
 * child outlives us.
 * @throws VeiError `program-missing`, SystemError
 */
export function launch({ log, prepare }: LaunchOptions): Deno.ChildProcess {
  const kept: Fd[] = [];
  try {
    replaceLog(log);
    closeOnExecAll();
    const spec = prepare((fd) => {
      kept.push(fd);
      return fd.number;
    });
    // The shell's only work is to open the log, then it is replaced.
    return start("/bin/sh", ["-c", 'exec "$@" >>"$0" 2>&1', log, ...jailArguments(spec)], {
      clearEnv: true,
      env: { PATH: JAIL_PATH, LC_ALL: "C" },
      cwd: "/",
    });
  } finally {
    for (const fd of kept) fd.close();
  }
}

/** A new file each time: whoever still holds the old one writes to nothing. */
function replaceLog(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.writeTextFileSync(path, "", { mode: 0o600, createNew: true });
}

const LAST_BYTES = 2048;

/**
 * @returns the last few lines of a log, as printable ASCII, bounded: what is in it may come from a
 * QEMU that was broken into.
 */
export function lastWords(log: string): string {
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(log);
  } catch {
    return "";
  }
  const lines = Array.from(bytes.subarray(-LAST_BYTES), (byte) => String.fromCharCode(byte))
    .join("").split("\n").map((line) => line.replace(/[^\x20-\x7e]/g, "?").slice(0, 200));
  return lines.filter((line) => line !== "").slice(-3).join(" | ");
}

/** @returns the child and everything below it, the child first. */
export function treeOf(child: { pid: number }): ProcessName[] {
  const leader = nameOf(child.pid);
  return [...leader === null ? [] : [leader], ...descendantsOf(child.pid)];
}

/** SIGKILL to the child and everything below it. */
export function killTree(child: { pid: number }): ProcessName[] {
  const tree = treeOf(child);
  killAll(tree);
  return tree;
}
