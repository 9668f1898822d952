/** Processes by pid and start time, which together name one process for ever. */
import { kill, startTimeOf } from "../ffi/process.ts";

export interface ProcessName {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat. */
  readonly startTime: string;
}

/** @returns the process's name, null when it is gone (or a zombie). */
export function nameOf(pid: number): ProcessName | null {
  const startTime = startTimeOf(pid);
  return startTime === null ? null : { pid, startTime };
}

export function isAlive({ pid, startTime }: ProcessName): boolean {
  return startTimeOf(pid) === startTime;
}

/** @returns all living descendants, the nearest first. */
export function descendantsOf(pid: number): ProcessName[] {
  const children = new Map<number, number[]>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== null) children.set(parent, [...children.get(parent) ?? [], Number(name)]);
  }
  const found: number[] = [];
  const queue = [pid];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const own = children.get(next) ?? [];
    found.push(...own);
    queue.push(...own);
  }
  return found.map(nameOf).filter((name) => name !== null);
}

function parentOf(pid: number): number | null {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null; // It ended while we looked.
  }
}

/** @returns what the process runs, as its own mount namespace calls it; null when it cannot be told. */
export function programOf(pid: number): string | null {
  try {
    return Deno.readLinkSync(`/proc/${pid}/exe`);
  } catch {
    return null;
  }
}

/** SIGKILL to exactly these, the last first (children before those who would reap them). */
export function killAll(processes: readonly ProcessName[]): void {
  for (const { pid, startTime } of [...processes].reverse()) kill(pid, "SIGKILL", startTime);
}

/** @returns those that are still there after `ms`. */
export async function waitUntilGone(
  processes: readonly ProcessName[],
  ms: number,
): Promise<ProcessName[]> {
  const end = performance.now() + ms;
  for (;;) {
    const left = processes.filter(isAlive);
    if (left.length === 0 || performance.now() >= end) return left;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
