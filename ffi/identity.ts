/** Another user's eyes: the effective user and group of the calling thread alone (credentials(7)). */
import { Exit, VeiError } from "../src/base/errors.ts";
import { errno, lazyLibrary, SystemError } from "./native.ts";

const libc = lazyLibrary("libc.so.6", {
  // int syscall(long number, uid_t ruid, uid_t euid, uid_t suid);  setresuid, setresgid
  setres: { name: "syscall", parameters: ["i64", "u32", "u32", "u32"], result: "i64" },
  // int prctl(int op, unsigned long arg2);
  prctl: { parameters: ["i32", "u64"], result: "i32" },
}, "VEI needs glibc");

const SYS_SETRESUID = 117n, SYS_SETRESGID = 119n;
const UNCHANGED = 0xffffffff;
const PR_GET_DUMPABLE = 3, PR_SET_DUMPABLE = 4, DUMPABLE = 1;

/**
 * Does synchronous work with another effective user and group, both of the same number. /proc shows
 * a process's descriptors, namespaces and program to its own user: who may become that user needs
 * neither CAP_SYS_PTRACE nor CAP_DAC_READ_SEARCH to look, and no CAP_KILL to end it.
 *
 * By the bare system call only this thread changes (libc's functions change every thread), and it
 * changes back before anything else can run. A change of user also hides a process from its own
 * user's other processes (prctl(2), PR_SET_DUMPABLE); that is undone.
 * @throws SystemError EPERM without CAP_SETUID and CAP_SETGID; VeiError `identity-lost` when it
 * cannot change back: the process should end.
 */
export function asUser<T>(user: number, work: () => T): T {
  const [uid, gid] = [Deno.uid()!, Deno.gid()!];
  const dumpable = libc().prctl(PR_GET_DUMPABLE, 0n) === DUMPABLE;
  if (!set(SYS_SETRESGID, user)) throw new SystemError(`Cannot look as group ${user}`, errno());
  try {
    if (!set(SYS_SETRESUID, user)) throw new SystemError(`Cannot look as user ${user}`, errno());
    try {
      return work();
    } finally {
      goBack(SYS_SETRESUID, uid);
    }
  } finally {
    goBack(SYS_SETRESGID, gid);
    if (dumpable) libc().prctl(PR_SET_DUMPABLE, BigInt(DUMPABLE));
  }
}

function set(call: bigint, id: number): boolean {
  return libc().setres(call, UNCHANGED, id, UNCHANGED) === 0n;
}

function goBack(call: bigint, id: number): void {
  if (set(call, id)) return;
  throw new VeiError({
    code: "identity-lost",
    message: "A thread cannot become its own user again",
    hint: "something keeps the process from changing its user: a fault of vei, please report it",
    exit: Exit.internal,
  });
}
