/**
 * Processes by pid and start time, which together name one process for ever. Where /proc hides those
 * of others from us (hidepid, in a service with few capabilities), the jail's are looked at with the
 * jail's user's eyes.
 */
import { asUser } from "../ffi/identity.ts";
import { SystemError } from "../ffi/native.ts";
import { kill, startTimeOf } from "../ffi/process.ts";
import { JAIL_USER } from "./jail.ts";

export interface ProcessName {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat. */
  readonly startTime: string;
}

/** @returns the process's name, null when it is gone (or a zombie). */
export function nameOf(pid: number): ProcessName | null {
  const startTime = seen(() => startTimeOf(pid));
  return startTime === null ? null : { pid, startTime };
}

export function isAlive({ pid, startTime }: ProcessName): boolean {
  return seen(() => startTimeOf(pid)) === startTime;
}

/** Looks as ourselves, then, where there is nothing, as the jail's user if we may. */
function seen<T>(look: () => T | null): T | null {
  return look() ?? jailed(look);
}

/** @returns null where we may not become the jail's user. */
function jailed<T>(work: () => T): T | null {
  try {
    return asUser(JAIL_USER, work);
  } catch (error) {
    if (isForbidden(error)) return null;
    throw error;
  }
}

const isForbidden = (error: unknown) => error instanceof SystemError && error.errno === "EPERM";

/** @returns all living descendants, the nearest first. */
export function descendantsOf(pid: number): ProcessName[] {
  const parents = new Map([...parentsInSight(), ...jailed(parentsInSight) ?? []]);
  const children = new Map<number, number[]>();
  for (const [child, parent] of parents) {
    children.set(parent, [...children.get(parent) ?? [], child]);
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

/** @returns the parent of each process that /proc shows us. */
function parentsInSight(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== null) parents.set(Number(name), parent);
  }
  return parents;
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
  return seen(() => {
    try {
      return Deno.readLinkSync(`/proc/${pid}/exe`);
    } catch {
      return null;
    }
  });
}

/** SIGKILL to exactly these, the last first (children before those who would reap them). */
export function killAll(processes: readonly ProcessName[]): void {
  for (const { pid, startTime } of [...processes].reverse()) {
    if (!killOwn(pid, startTime)) jailed(() => kill(pid, "SIGKILL", startTime));
  }
}

/** @returns false when it is not there, hidden from us or not ours to end. */
function killOwn(pid: number, startTime: string): boolean {
  try {
    return kill(pid, "SIGKILL", startTime);
  } catch (error) {
    if (isForbidden(error)) return false;
    throw error;
  }
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
