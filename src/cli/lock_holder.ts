/** Who holds a lock file, told by the kernel; the lock itself is not touched. */

/**
 * @param path of a file that is locked by flock(2).
 * @returns the holder's pid, as this pid namespace sees it; null when there is none, or no such file.
 * @throws Deno's errors when the file or /proc/locks cannot be read.
 */
export function lockHolder(path: string): number | null {
  let file: Deno.FileInfo;
  try {
    file = Deno.statSync(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw cause;
  }
  const locks = parseLocks(Deno.readTextFileSync("/proc/locks"));
  // The device is not compared: on some file systems (overlayfs, btrfs) stat(2) says another one. The
  // descriptors of the holder decide, where we may see them.
  const held = locks.filter(({ inode, pid }) => inode === file.ino && holds(pid, path) !== false);
  return held[0]?.pid ?? null;
}

/** @returns the locks by flock(2) of /proc/locks (proc_locks(5)); waiters are left out. */
export function parseLocks(text: string): { pid: number; inode: number }[] {
  const line = /^\d+: FLOCK +\S+ +WRITE +(-?\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /gm;
  return [...text.matchAll(line)].map(([, pid, inode]) => ({
    pid: Number(pid),
    inode: Number(inode),
  }));
}

/** @returns whether the process has the file open; null when that cannot be seen. */
function holds(pid: number, path: string): boolean | null {
  try {
    const real = Deno.realPathSync(path);
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].some(({ name }) => {
      try {
        return Deno.readLinkSync(`/proc/${pid}/fd/${name}`) === real;
      } catch {
        return false; // Closed while we looked.
      }
    });
  } catch {
    return null;
  }
}

/** @returns the program's short name (proc_pid_comm(5)). */
export function nameOfProcess(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/comm`).trim();
  } catch {
    return "gone";
  }
}
