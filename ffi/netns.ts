/**
 * Network namespaces of the calling thread (namespaces(7), setns(2)). Everything here is
 * synchronous: only the calling thread moves, so with no `await` between, what it makes in between
 * (sockets, children, netlink requests) is made in the namespace that it moved to.
 */
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import { requireHostWide } from "./mounts.ts";
import { cstring, errno, errnoName, Fd, lazyLibrary, SystemError, unwrap } from "./native.ts";
import { setUp } from "./netdev.ts";

const libc = lazyLibrary("libc.so.6", {
  // int unshare(int flags);
  unshare: { parameters: ["i32"], result: "i32" },
  // int setns(int fd, int nstype);
  setns: { parameters: ["i32", "i32"], result: "i32" },
  // int open(const char *pathname, int flags, mode_t mode);
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  // int flock(int fd, int operation);
  flock: { parameters: ["i32", "i32"], result: "i32" },
  // int mount(const char *source, const char *target, const char *filesystemtype,
  //           unsigned long mountflags, const void *data);
  mount: { parameters: ["buffer", "buffer", "buffer", "u64", "pointer"], result: "i32" },
  // int umount2(const char *target, int flags);
  umount2: { parameters: ["buffer", "i32"], result: "i32" },
}, "VEI needs glibc");

const CLONE_NEWNET = 0x40000000;
const O_RDONLY_CLOEXEC = 0o2000000;
const LOCK_EX = 2;
const MS_BIND = 0x1000n, MS_REC = 0x4000n, MS_SHARED = 0x100000n;
const MNT_DETACH = 2;
const SELF = "/proc/thread-self/ns/net";
/** Where iproute2 keeps named namespaces; `ip netns` and `nsenter --net=` find ours there. */
const NAMED = "/run/netns";
const ROOT_HINT = "run as root, for example with sudo (it takes CAP_SYS_ADMIN)";

/**
 * Makes an empty network namespace and binds it to a path, which keeps it alive without any
 * process; the caller stays where it is. Not even lo is up in it.
 * @param path e.g. `/run/netns/vei0`; its folder is made when missing (0755).
 * @throws VeiError `netns-exists`, `mount-private` (the binding would not outlast us), SystemError.
 */
export function createNetns(path: string): void {
  const folder = path.slice(0, path.lastIndexOf("/"));
  requireHostWide(folder);
  makeFolder(folder);
  if (netnsExists(path)) {
    throw new VeiError({
      code: "netns-exists",
      message: `The network namespace ${path} exists already`,
      exit: Exit.tryAgain,
    });
  }
  try {
    // A plain file of that name is what a crash between these steps leaves: it is used.
    Deno.writeFileSync(path, new Uint8Array(), { create: true, mode: 0o444 });
  } catch (cause) {
    throw cannotCreate(path, cause);
  }
  try {
    using _back = unshareThread();
    bind(SELF, path);
  } catch (error) {
    Deno.removeSync(path);
    throw error;
  }
}

/**
 * Takes the binding away, however often it is mounted. The namespace itself goes with the last
 * process in it and the last socket or descriptor of it.
 * @returns false when there was nothing at that path.
 * @throws SystemError
 */
export function removeNetns(path: string): boolean {
  while (libc().umount2(cstring(path), MNT_DETACH) === 0);
  const why = errno();
  const name = errnoName(why);
  if (name === "ENOENT") return false;
  if (name !== "EINVAL") throw new SystemError(`Cannot unmount ${path}`, why, ROOT_HINT);
  Deno.removeSync(path);
  return true;
}

/** Moves the calling thread into a namespace, for good. @throws VeiError `netns-missing` */
export function enterNetns(path: string): void {
  using target = openNetns(path);
  unwrap(libc().setns(target.number, CLONE_NEWNET), `Cannot enter ${path}`, ROOT_HINT);
}

/**
 * Runs `work` in a namespace and comes back, also when it throws.
 * @param work only what it does before its first `await` is done in there. `Deno.connect` to an IP
 * address is (the socket is made during the call), `fetch` and host names are not: check the local
 * address of what comes of it.
 */
export function withNetns<T>(path: string, work: () => T): T {
  using _back = moved(() => enterNetns(path));
  return work();
}

/**
 * Moves the calling thread into a fresh namespace of its own, with lo up and nothing else.
 * @returns when disposed of, the thread goes back to where it was (threads of a pool must).
 */
export function unshareNetns(): Disposable {
  const back = unshareThread();
  try {
    setUp("lo", true);
    return back;
  } catch (error) {
    back[Symbol.dispose]();
    throw error;
  }
}

/**
 * @param path of a binding; without it, the calling thread's namespace.
 * @returns a text that is equal exactly for the same namespace, while that exists.
 * @throws VeiError `netns-missing` when the path is no namespace.
 */
export function netnsId(path = SELF): string {
  if (!netnsExists(path)) throw missing(path);
  const { dev, ino } = Deno.statSync(path);
  return `net:${dev}:${ino}`;
}

/** @returns true when a namespace is bound to the path. */
export function netnsExists(path: string): boolean {
  try {
    // All namespaces are files of the one nsfs, which has its own device number.
    return Deno.statSync(path).dev === Deno.statSync(SELF).dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

/** Moves the calling thread by `move`. @returns disposing of it goes back to where it was. */
function moved(move: () => void): Disposable {
  const here = openNetns(SELF);
  try {
    move();
  } catch (error) {
    here.close();
    throw error;
  }
  return {
    [Symbol.dispose]() {
      try {
        unwrap(libc().setns(here.number, CLONE_NEWNET), "Cannot go back to the first namespace");
      } finally {
        here.close();
      }
    },
  };
}

function unshareThread(): Disposable {
  return moved(() =>
    unwrap(libc().unshare(CLONE_NEWNET), "Cannot make a network namespace", ROOT_HINT)
  );
}

function openNetns(path: string): Fd {
  const number = libc().open(cstring(path), O_RDONLY_CLOEXEC, 0);
  if (number >= 0) return new Fd(number);
  const why = errno();
  if (errnoName(why) === "ENOENT") throw missing(path);
  throw new SystemError(`Cannot open ${path}`, why, ROOT_HINT);
}

function missing(path: string): VeiError {
  return new VeiError({
    code: "netns-missing",
    message: `There is no network namespace at ${path}`,
    hint: "`vei serve` makes it",
    exit: Exit.unavailable,
  });
}

function cannotCreate(path: string, cause: unknown): VeiError {
  const denied = cause instanceof Deno.errors.PermissionDenied;
  return new VeiError({
    code: "netns-cannot-create",
    message: `Cannot make ${path}: ${messageOf(cause)}`,
    hint: denied ? ROOT_HINT : "",
    exit: denied ? Exit.noPermission : Exit.cannotCreate,
    cause,
  });
}

function bind(source: string, target: string): void {
  unwrap(
    libc().mount(cstring(source), cstring(target), cstring("none"), MS_BIND | MS_REC, null),
    `Cannot bind ${source} to ${target}`,
    ROOT_HINT,
  );
}

/**
 * Makes the folder of named namespaces as iproute2 does: a shared mount of its own, so that
 * bindings and their removal reach mount namespaces made later (a unit's copy would otherwise keep
 * a removed namespace alive), and so that a later `ip netns add` does not cover what is there.
 */
function makeFolder(folder: string): void {
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw cannotCreate(folder, cause);
  }
  if (folder !== NAMED) return;
  using lock = openNetns(folder);
  unwrap(libc().flock(lock.number, LOCK_EX), `Cannot lock ${folder}`);
  if (share(folder)) return;
  bind(folder, folder);
  if (!share(folder)) throw new SystemError(`Cannot share ${folder}`, errno(), ROOT_HINT);
}

/** @returns false when the folder is no mount point yet. */
function share(folder: string): boolean {
  const flags = MS_SHARED | MS_REC;
  if (libc().mount(cstring(""), cstring(folder), cstring("none"), flags, null) === 0) return true;
  const why = errno();
  if (errnoName(why) === "EINVAL") return false;
  throw new SystemError(`Cannot share ${folder}`, why, ROOT_HINT);
}
