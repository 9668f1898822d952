/** RUN/qemu.pid: which processes are ours, so that a later daemon can end exactly these. */
import { Exit, VeiError } from "../src/base/errors.ts";
import type { ProcessName } from "./processes.ts";

export interface PidFile {
  /** QEMU itself; null while the jail is still being built. */
  qemu: ProcessName | null;
  /** From the one that we started down to QEMU's parent: bubblewrap outside, bubblewrap inside. */
  parents: ProcessName[];
}

/** QEMU's monitor; a killed daemon leaves it behind. */
export const socketPath = (run: string): string => `${run}/qmp.sock`;

export const pidPath = (run: string): string => `${run}/qemu.pid`;

/** Replaces the file, at once and as a whole. */
export function writePidFile(run: string, content: PidFile): void {
  const temporary = `${pidPath(run)}.new`;
  Deno.writeTextFileSync(temporary, JSON.stringify(content) + "\n", { mode: 0o600 });
  Deno.renameSync(temporary, pidPath(run));
}

export function removePidFile(run: string): void {
  try {
    Deno.removeSync(pidPath(run));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** @returns null when there is none. @throws VeiError `pid-file-damaged` */
export function readPidFile(run: string): PidFile | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(pidPath(run));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  try {
    const value = JSON.parse(text);
    const names = [value.qemu, ...value.parents];
    if (names.every((name, i) => (i === 0 && name === null) || isName(name))) return value;
  } catch {
    // Told below.
  }
  throw new VeiError({
    code: "pid-file-damaged",
    message: `${pidPath(run)} does not say which QEMU is ours`,
    hint: "end the QEMU of this instance by hand (ps -u 64321), then remove the file",
    exit: Exit.data,
  });
}

function isName(value: unknown): value is ProcessName {
  const { pid, startTime } = (value ?? {}) as Record<string, unknown>;
  return Number.isInteger(pid) && (pid as number) > 1 && typeof startTime === "string" &&
    /^\d+$/.test(startTime);
}
