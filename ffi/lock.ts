/** One writer per state folder: flock(2), held by the kernel and dropped with its holder. */
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import { cstring, errno, errnoName, Fd, lazyLibrary, unwrap } from "./native.ts";

const libc = lazyLibrary("libc.so.6", {
  // int open(const char *pathname, int flags, mode_t mode);
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  // int flock(int fd, int operation);
  flock: { parameters: ["i32", "i32"], result: "i32" },
}, "VEI needs glibc");

const O_RDWR_CREAT_CLOEXEC = 0o2 | 0o100 | 0o2000000;
const LOCK_EX_NB = 2 | 4;

/**
 * Takes the writer's lock of a state folder, without waiting. The lock file is close-on-exec, so
 * that no child (QEMU outlives us) keeps it.
 * @param folder made when missing (0700).
 * @throws VeiError `state-locked` when another process holds it, `state-unwritable`.
 */
export function lockState(folder: string): Disposable {
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw unwritable(folder, cause);
  }
  const path = `${folder}/lock`;
  for (;;) {
    const number = libc().open(cstring(path), O_RDWR_CREAT_CLOEXEC, 0o600);
    try {
      unwrap(number, `Cannot open ${path}`);
    } catch (cause) {
      throw unwritable(folder, cause);
    }
    const fd = new Fd(number);
    if (libc().flock(number, LOCK_EX_NB) < 0) {
      const name = errnoName(errno());
      fd.close();
      throw new VeiError({
        code: "state-locked",
        message: `Another vei process is using ${folder} (${name})`,
        hint: "stop it first (`vei status` shows it), or use another --instance",
        exit: Exit.tryAgain,
      });
    }
    if (Deno.statSync(`/proc/self/fd/${number}`).nlink !== 0) return fd;
    // Its last holder removed the file between our two calls: the name means another file now.
    fd.close();
  }
}

function unwritable(folder: string, cause: unknown): VeiError {
  return new VeiError({
    code: "state-unwritable",
    message: `Cannot write to the state folder ${folder}: ${messageOf(cause)}`,
    hint: "run as root, or name a folder of your own with --state DIR",
    exit: Exit.cannotCreate,
    cause,
  });
}
