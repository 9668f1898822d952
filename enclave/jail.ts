/**
 * The jail around QEMU as an argument list: a pure function. A session of its own, a user of its
 * own, limits, then Debian's bubblewrap: fresh namespaces of every kind, and a read-only root that
 * holds QEMU, its libraries and firmware and two devices. Everything else comes as descriptors.
 */

/** QEMU's numeric user and group: nobody else's (`nobody` is shared with others). */
export const JAIL_USER = 64321;

/** Bytes that QEMU may write to its log, the only file it can write to. */
export const LOG_BYTES = 64 * 1024;

/** Devices in every jail; `/dev/kvm` comes on top where a trial has succeeded. */
export const JAIL_DEVICES = ["/dev/null", "/dev/urandom"] as const;

/** A read-only file of the host's, at its own path inside. */
export interface JailFile {
  /** Without symbolic links. */
  source: string;
  target: string;
}

/** Resource limits, see setrlimit(2); both soft and hard. */
export interface JailLimits {
  /**
   * Bytes of the largest file. While the jail is built it has to hold kernel and initrd (they are
   * copied into its root); once QEMU runs it is lowered to LOG_BYTES.
   */
  fileBytes: number;
  openFiles: number;
  /** Of this user in all jails together, threads count. */
  processes: number;
  addressBytes: number;
}

export interface JailSpec {
  user: number;
  files: readonly JailFile[];
  /** Descriptors whose content becomes a read-only file in the jail's root. */
  data: readonly { fd: number; target: string }[];
  devices: readonly string[];
  limits: JailLimits;
  /** Program and arguments, as seen inside. */
  command: readonly string[];
}

/** @returns limits for a guest of so much memory. @param fileBytes size of the largest data file. */
export function limitsFor(memoryMiB: number, fileBytes: number): JailLimits {
  return {
    fileBytes: Math.max(fileBytes, LOG_BYTES),
    openFiles: 256,
    processes: 1024,
    // QEMU reserves far more than it touches: translation buffer, one arena for each thread.
    addressBytes: (memoryMiB + 4096) * 2 ** 20,
  };
}

/** @returns the names of setrlimit's resources and their values, as prlimit(1) takes them. */
export function limitArguments(limits: JailLimits): string[] {
  return [
    `--fsize=${limits.fileBytes}`,
    `--nofile=${limits.openFiles}`,
    `--nproc=${limits.processes}`,
    `--as=${limits.addressBytes}`,
    "--core=0",
    "--memlock=0",
    "--msgqueue=0",
    "--rtprio=0",
    "--nice=0",
  ];
}

/**
 * @returns program and arguments, to be started by root. Without `--die-with-parent`: QEMU survives
 * its daemon, so that a daemon that died does not end an answer that the diode still guards.
 * `--disable-userns` keeps QEMU from making user namespaces of its own, in which it would have
 * capabilities.
 */
export function jailArguments(spec: JailSpec): string[] {
  const user = String(spec.user);
  return [
    "setsid",
    "setpriv",
    ...asUser(spec.user),
    ...["prlimit", ...limitArguments(spec.limits)],
    ...["bwrap", "--unshare-user", "--disable-userns", "--unshare-net", "--unshare-pid"],
    ...["--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
    ...["--uid", user, "--gid", user, "--hostname", "enclave", "--new-session"],
    ...["--cap-drop", "ALL", "--clearenv"],
    ...spec.files.flatMap(({ source, target }) => ["--ro-bind", source, target]),
    ...spec.devices.flatMap((device) => ["--dev-bind", device, device]),
    ...spec.data.flatMap(({ fd, target }) => ["--ro-bind-data", String(fd), target]),
    ...["--remount-ro", "/", "--chdir", "/", "--"],
    ...spec.command,
  ];
}

/** setpriv(1)'s arguments: another identity, and no way to more. */
function asUser(user: number): string[] {
  return [
    ...["--reuid", String(user), "--regid", String(user), "--clear-groups"],
    ...["--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all"],
  ];
}

/**
 * @returns setpriv's arguments that lower RLIMIT_FSIZE of a jailed process: as its own user, since
 * for others it takes CAP_SYS_RESOURCE, which root in a container may lack.
 */
export function lowerFileLimit(pid: number, bytes: number): string[] {
  return [...asUser(JAIL_USER), "prlimit", "--pid", String(pid), `--fsize=${bytes}:${bytes}`];
}
