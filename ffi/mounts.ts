/** Which mount namespace we are in, told by mountinfo (proc_pid_mountinfo(5)). */
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";

export interface Mount {
  /** Unique among all mounts that exist, whatever their namespace. */
  id: number;
  parent: number;
  /** Device number `major:minor`: one for each instance of a file system, wherever mounted. */
  device: string;
  target: string;
  type: string;
  /** Peer group that mounts made below are passed on to, null when not shared. */
  sharedGroup: number | null;
  /** Peer group, of another mount namespace as a rule, that this one follows; null for none. */
  masterGroup: number | null;
}

/** @returns the mounts of a process. @param pid a number, `self` or `thread-self`. */
export function mountsOf(pid: number | "self" | "thread-self"): Mount[] {
  return parseMountinfo(Deno.readTextFileSync(`/proc/${pid}/mountinfo`));
}

/** @param text lines of mountinfo; octal escapes in targets are undone. */
export function parseMountinfo(text: string): Mount[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const fields = line.split(" ");
    const end = fields.indexOf("-", 6);
    const group = (kind: string) => {
      const field = fields.slice(6, end).find((field) => field.startsWith(`${kind}:`));
      return field === undefined ? null : Number(field.slice(kind.length + 1));
    };
    return {
      id: Number(fields[0]),
      parent: Number(fields[1]),
      device: fields[2] ?? "",
      target: unescapeTarget(fields[4] ?? ""),
      type: fields[end + 1] ?? "",
      sharedGroup: group("shared"),
      masterGroup: group("master"),
    };
  });
}

function unescapeTarget(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)));
}

/** @returns the mount that a path lies on: the longest target, of equal ones the topmost. */
export function mountAt(mounts: Mount[], path: string): Mount | null {
  let best: Mount | null = null;
  for (const mount of mounts) {
    const prefix = mount.target === "/" ? "/" : `${mount.target}/`;
    if (path !== mount.target && !path.startsWith(prefix)) continue;
    if (best === null || mount.target.length >= best.target.length) best = mount;
  }
  return best;
}

/**
 * Would a mount made at `path` be seen by the whole box, and stay when this process is gone? Yes
 * when process 1 has the same mounts (mount ids are unique across namespaces), or when ours are
 * shared with its. /proc/1/ns/mnt cannot be asked: not every root may read it.
 * @param read for tests.
 */
export function hostWide(path: string, read: (pid: 1 | "thread-self") => Mount[] = mountsOf): {
  answer: "yes" | "no" | "unknown";
  reason: string;
} {
  let ours: Mount[], first: Mount[];
  try {
    ours = read("thread-self");
    first = read(1);
  } catch (error) {
    return { answer: "unknown", reason: `/proc/1/mountinfo cannot be read: ${messageOf(error)}` };
  }
  const here = mountAt(ours, path);
  if (here === null) return { answer: "unknown", reason: `no mount holds ${path}` };
  if (first.some((mount) => mount.id === here.id)) {
    return { answer: "yes", reason: "the mount namespace is that of process 1" };
  }
  if (here.sharedGroup !== null && first.some((m) => m.sharedGroup === here.sharedGroup)) {
    return { answer: "yes", reason: `${here.target} is shared with process 1` };
  }
  return { answer: "no", reason: `${here.target} is private to this mount namespace` };
}

/** @throws VeiError `mount-private` (exit 78) unless a mount at `path` is seen by the whole box. */
export function requireHostWide(path: string): void {
  const { answer, reason } = hostWide(path);
  if (answer === "yes") return;
  throw new VeiError({
    code: "mount-private",
    message: answer === "no"
      ? `A mount at ${path} would be lost with this process: ${reason}`
      : `Cannot tell whether a mount at ${path} would last: ${reason}`,
    hint: "run vei in the box's own mount namespace (a systemd unit without PrivateTmp, " +
      "ProtectSystem and the like for this step; not inside `unshare --mount`)",
    exit: Exit.config,
  });
}
