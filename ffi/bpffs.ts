/** The BPF file system, where pins live (kernel `kernel/bpf/inode.c`). */
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import { type Mount, mountAt, mountsOf } from "./mounts.ts";
import { cstring, lazyLibrary, Struct, unwrap } from "./native.ts";

const libc = lazyLibrary("libc.so.6", {
  // int statfs(const char *path, struct statfs *buf);
  statfs: { parameters: ["buffer", "buffer"], result: "i32" },
  // int mount(const char *source, const char *target, const char *type, unsigned long flags,
  //           const void *data);
  mount: { parameters: ["buffer", "buffer", "buffer", "u64", "buffer"], result: "i32" },
  // int umount2(const char *target, int flags);
  umount2: { parameters: ["buffer", "i32"], result: "i32" },
}, "VEI needs glibc");

export const BPFFS = "/sys/fs/bpf";
const BPF_FS_MAGIC = 0xcafe4a11;
const NOSUID_NODEV_NOEXEC = 2n | 4n | 8n;
const UMOUNT_NOFOLLOW = 8;

/** @returns whether a folder is there and lies in a bpffs, as this process sees it. */
export function isBpffsMounted(folder = BPFFS): boolean {
  // struct statfs begins with f_type, a long.
  const stat = new Struct(120);
  return libc().statfs(cstring(folder), stat.bytes) === 0 && stat.getU32(0) === BPF_FS_MAGIC;
}

/**
 * Mounts `/sys/fs/bpf` when it is not mounted.
 * @param pins our folder in it: a service sees that one alone, and there it has to be.
 * @throws VeiError `bpffs-private` (78) when it belongs to our mount namespace alone: it would die
 * with that, and take a pinned link along; SystemError when it cannot be mounted.
 */
export function ensureBpffs(pins = BPFFS): void {
  if (isBpffsMounted(pins)) return requireHostWideBpffs(mountsOf, pins);
  const mounted = isBpffsMounted();
  if (!mounted) mountBpffs();
  try {
    requireHostWideBpffs();
  } catch (cause) {
    // What we mounted a moment ago holds nothing yet.
    if (!mounted) libc().umount2(cstring(BPFFS), UMOUNT_NOFOLLOW);
    throw cause;
  }
}

function mountBpffs(): void {
  unwrap(
    libc().mount(
      cstring("bpf"),
      cstring(BPFFS),
      cstring("bpf"),
      NOSUID_NODEV_NOEXEC,
      cstring("mode=700"),
    ),
    `Cannot mount ${BPFFS}`,
    "run as root on a kernel with BPF; by hand: mount -t bpf bpf /sys/fs/bpf",
  );
}

/**
 * Compares the device numbers of our bpffs and of the one that process 1 sees at the same place: each
 * instance of a file system has its own. Where /proc hides process 1 from us (hidepid, in a service),
 * ours has to follow a mount of another namespace: one that was made in our own would not.
 * @param read for tests. @param folder in the bpffs in question.
 * @throws VeiError `bpffs-private`
 */
export function requireHostWideBpffs(
  read: (pid: 1 | "thread-self") => Mount[] = mountsOf,
  folder = BPFFS,
): void {
  let reason = "process 1 does not see it";
  let ours: Mount | null = null;
  try {
    ours = mountAt(read("thread-self"), folder);
    const first = mountAt(read(1), BPFFS);
    if (ours?.type === "bpf" && first?.type === "bpf" && ours.device === first.device) return;
  } catch (cause) {
    const hidden = cause instanceof Deno.errors.NotFound;
    if (hidden && ours?.type === "bpf" && ours.masterGroup !== null) return;
    reason = `what process 1 sees cannot be read: ${messageOf(cause)}`;
  }
  throw new VeiError({
    code: "bpffs-private",
    message: `The bpffs at ${BPFFS} is private to this mount namespace: ${reason}`,
    hint: "run `mount -t bpf bpf /sys/fs/bpf` outside of it, and start vei without a mount " +
      "namespace of its own (no PrivateMounts=, no `ip netns exec`)",
    exit: Exit.config,
  });
}

/**
 * Unmounts `/sys/fs/bpf` if nothing is pinned in it, by anybody.
 * @returns whether it is unmounted now.
 */
export function unmountBpffs(): boolean {
  if (!isBpffsMounted()) return true;
  for (const entry of Deno.readDirSync(BPFFS)) {
    // The kernel's own iterators appear with the first mount (bpf_preload).
    if (!/^(maps|progs)\.debug$/.test(entry.name)) return false;
  }
  return libc().umount2(cstring(BPFFS), UMOUNT_NOFOLLOW) === 0;
}
