/** Descriptors for children and signals to processes that are not our children. */
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import {
  cstring,
  errno,
  errnoName,
  Fd,
  lazyLibrary,
  Struct,
  SystemError,
  unwrap,
} from "./native.ts";

const libc = lazyLibrary("libc.so.6", {
  // int socket(int domain, int type, int protocol);
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int listen(int sockfd, int backlog);
  listen: { parameters: ["i32", "i32"], result: "i32" },
  // int chmod(const char *pathname, mode_t mode);
  chmod: { parameters: ["buffer", "u32"], result: "i32" },
  // int open(const char *pathname, int flags, mode_t mode);
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  // int syscall(long number, pid_t pid, unsigned int flags);  pidfd_open
  pidfdOpen: { name: "syscall", parameters: ["i64", "i32", "u32"], result: "i64" },
  // int syscall(long number, int pidfd, int sig, siginfo_t *info, unsigned int flags);
  pidfdSend: {
    name: "syscall",
    parameters: ["i64", "i32", "i32", "pointer", "u32"],
    result: "i64",
  },
  // int syscall(long number, unsigned int first, unsigned int last, unsigned int flags);
  closeRange: { name: "syscall", parameters: ["i64", "u32", "u32", "u32"], result: "i64" },
}, "VEI needs glibc");

const AF_UNIX = 1, SOCK_STREAM = 1;
const O_APPEND_CREAT = 0o1 | 0o2000 | 0o100, O_NOFOLLOW = 0o400000;
const SYS_PIDFD_SEND_SIGNAL = 424n, SYS_PIDFD_OPEN = 434n;

/**
 * A listening AF_UNIX socket that children inherit (QEMU: `-chardev socket,fd=N,server=on`).
 * Close it once the child runs: every other child inherits it too.
 * @param path at most 107 bytes; a socket that is left there is replaced, anything else is not.
 * The file gets mode 0600 before anybody can connect.
 * @throws VeiError `socket-path` | SystemError
 */
export function unixListen(path: string): Fd {
  const encoded = cstring(path);
  if (encoded.length > 108) throw pathError(path, "a socket's path has at most 107 bytes");
  removeSocket(path);
  const what = `Cannot listen on ${path}`;
  const fd = new Fd(unwrap(libc().socket(AF_UNIX, SOCK_STREAM, 0), what));
  try {
    const address = new Struct(2 + encoded.length).u16(0, AF_UNIX).set(2, encoded).bytes;
    unwrap(libc().bind(fd.number, address, address.length), what);
    unwrap(libc().chmod(encoded, 0o600), what);
    unwrap(libc().listen(fd.number, 1), what);
    return fd;
  } catch (error) {
    fd.close();
    throw error;
  }
}

function removeSocket(path: string): void {
  let found: Deno.FileInfo;
  try {
    found = Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw pathError(path, messageOf(error), error);
  }
  if (!found.isSocket) throw pathError(path, "something that is no socket is there");
  Deno.removeSync(path);
}

function pathError(path: string, why: string, cause?: unknown): VeiError {
  return new VeiError({
    code: "socket-path",
    message: `Cannot make the socket ${path}: ${why}`,
    exit: Exit.cannotCreate,
    cause,
  });
}

/**
 * Opens a file that children inherit under the descriptor's number. Symbolic links as the last
 * component are refused.
 * @param mode `append` makes the file (0600) when it is missing.
 * @throws SystemError
 */
export function openInheritable(path: string, mode: "append" | "read"): Fd {
  const flags = O_NOFOLLOW | (mode === "append" ? O_APPEND_CREAT : 0);
  return new Fd(unwrap(libc().open(cstring(path), flags, 0o600), `Cannot open ${path}`));
}

/**
 * @returns when the process started, in clock ticks since boot (field 22 of /proc/PID/stat): with
 * the pid, a name that no later process has. Null when there is no such process, or only a zombie.
 */
export function startTimeOf(pid: number): string | null {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return null;
  }
  // The name in parentheses may hold spaces and parentheses: count from the last one.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" || state === "X" ? null : fields[18] ?? null;
}

const SYS_CLOSE_RANGE = 436n, CLOSE_RANGE_CLOEXEC = 4;

/**
 * Sets close-on-exec on every open descriptor but the standard three (close_range(2), Linux 5.11):
 * whatever we ourselves were started with does not reach a child. Call it before making inheritable
 * what the child is to have.
 * @throws SystemError
 */
export function closeOnExecAll(): void {
  const result = libc().closeRange(SYS_CLOSE_RANGE, 3, 0xffffffff, CLOSE_RANGE_CLOEXEC);
  unwrap(Number(result), "Cannot keep descriptors from children");
}

const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGKILL: 9,
  SIGTERM: 15,
  SIGSTOP: 19,
  SIGCONT: 18,
} as const;

/**
 * Sends a signal to exactly one process, by pidfd, so that a reused pid is never hit.
 * @param startTime what `startTimeOf` said when the pid was noted; another one: nothing is sent.
 * @returns false when that process is gone.
 * @throws SystemError EPERM
 */
export function kill(pid: number, signal: keyof typeof SIGNALS, startTime?: string): boolean {
  if (!Number.isInteger(pid) || pid <= 1) throw new RangeError(`Cannot signal process ${pid}`);
  const number = Number(libc().pidfdOpen(SYS_PIDFD_OPEN, pid, 0));
  if (number < 0) return gone(pid);
  using pidfd = new Fd(number);
  // The pidfd is taken first: from here on the pid cannot come to mean another process.
  if (startTime !== undefined && startTimeOf(pid) !== startTime) return false;
  const sent = libc().pidfdSend(SYS_PIDFD_SEND_SIGNAL, pidfd.number, SIGNALS[signal], null, 0);
  return Number(sent) < 0 ? gone(pid) : true;
}

function gone(pid: number): false {
  const why = errno();
  if (errnoName(why) === "ESRCH") return false;
  throw new SystemError(`Cannot signal process ${pid}`, why);
}
