/**
 * A machine of a test's own that a real systemd runs: process 1 of its own process, mount, cgroup,
 * network, host name and IPC namespaces, on an overlay of this machine's files in memory. What this
 * machine would start at boot is not started, and nothing in there reaches this machine's kernel
 * settings, devices or network. All of it is gone with its process 1.
 */
import { mountsOf } from "../../ffi/mounts.ts";
import type { Ran } from "../tools/vei.ts";
import { until } from "../tools/daemon.ts";

/** What VEI may have put on the machine that the tests run on; hidden in here. */
const HIDDEN = [
  ...["/usr/local/bin/vei", "/usr/local/lib/vei", "/usr/local/lib/systemd/system/vei.service"],
  ...["/etc/vei", "/etc/credstore", "/var/lib/vei"],
];
/** They act on the kernel, which is this machine's. */
const MASKED = ["sysctl", "udevd", "udev-trigger", "modules-load", "binfmt", "random-seed"];

/** Makes the mounts and becomes systemd. */
const FIRST = String.raw`
set -eu
top=$1 hidden=$2 masked=$3
mount --make-rprivate /
mount -t tmpfs tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" "$top/root"
cd "$top/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/net dev/shm dev/pts
for device in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0" "net/tun 10 200"
do
  set -- $device
  mknod -m 666 "dev/$1" c "$2" "$3"
done
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ip link set lo up
for path in $hidden; do rm -rf ".$path"; done
rm -rf etc/systemd/system/*.wants lib/systemd/system/*.wants var/log/journal var/lib/systemd
for name in $masked; do ln -sf /dev/null "etc/systemd/system/systemd-$name.service"; done
: >etc/fstab
cat >etc/systemd/system/world.target <<'UNIT'
[Unit]
DefaultDependencies=no
AllowIsolate=yes
Wants=systemd-journald.service
After=systemd-journald.service
UNIT
pivot_root . mnt
umount -l /mnt
# As systemd does itself on a real machine.
mount --make-rshared /
exec env -i container=vei PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --unit=world.target --log-target=journal --show-status=no
`;

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export class SystemdWorld implements AsyncDisposable {
  private constructor(
    private readonly unshare: Deno.ChildProcess,
    private readonly top: string,
    private readonly cgroup: string,
    private readonly pid: number,
  ) {}

  /** @throws Error with systemd's or the mounts' own words when it does not come up. */
  static async start(): Promise<SystemdWorld> {
    const top = await Deno.makeTempDir({ prefix: "vei-systemd-" });
    const cgroup = `${cgroup2()}/${top.slice(top.lastIndexOf("/") + 1)}`;
    await Deno.mkdir(cgroup);
    const unshare = new Deno.Command("sh", {
      args: [
        "-c",
        'echo $$ >"$0/cgroup.procs" && exec setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount --cgroup ' +
        '--uts --net --ipc sh -c "$1" sh "$2" "$3" "$4"',
        ...[cgroup, FIRST, top, HIDDEN.join(" "), MASKED.join(" ")],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    let ended = false;
    unshare.status.then(() => ended = true);
    const pid = await until("systemd", async () => {
      if (ended) throw new Error("systemd did not start: its own words are above");
      const [child] = (await childrenOf(unshare.pid)).map(Number);
      return child && await Deno.readLink(`/proc/${child}/exe`) === SYSTEMD ? child : null;
    }, { ms: 20_000 });
    const world = new SystemdWorld(unshare, top, cgroup, pid);
    await until("systemd's readiness", async () => {
      const { stdout } = await world.run(["systemctl", "is-system-running"]);
      return /running|degraded/.test(stdout) ? true : null;
    }, { ms: 30_000 });
    return world;
  }

  /** @returns the path, seen from outside, of a path inside. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  /** Starts a program inside; killed, the program itself is killed as well. */
  spawn(command: string[], env: Record<string, string> = {}): Deno.ChildProcess {
    return new Deno.Command("nsenter", {
      args: [
        ...["--target", String(this.pid), "--mount", "--pid", "--net", "--ipc", "--uts"],
        ...["--cgroup", "--root", "--wd", "setpriv", "--pdeathsig", "KILL", "--", ...command],
      ],
      clearEnv: true,
      env: { PATH, HOME: "/root", NO_COLOR: "1", LC_ALL: "C.UTF-8", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs a program inside to its end. */
  async run(command: string[], timeoutMs = 240_000): Promise<Ran> {
    const child = this.spawn(command);
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    const output = await child.output();
    clearTimeout(timer);
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
  }

  /** Runs a program inside that must succeed. @returns what it printed on standard output. */
  async must(command: string[], timeoutMs?: number): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, timeoutMs);
    if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** Writes a drop-in of a unit, or takes it away, and lets systemd read it. */
  async dropIn(unit: string, name: string, text: string | null): Promise<void> {
    const folder = this.path(`/etc/systemd/system/${unit}.d`);
    await Deno.mkdir(folder, { recursive: true });
    if (text === null) await Deno.remove(`${folder}/${name}.conf`);
    else await Deno.writeTextFile(`${folder}/${name}.conf`, text);
    await this.must(["systemctl", "daemon-reload"]);
  }

  /** @returns properties of a unit as systemd has them now. */
  async show<Name extends string>(unit: string, ...names: Name[]): Promise<Record<Name, string>> {
    const text = await this.must(["systemctl", "show", `--property=${names.join(",")}`, unit]);
    return Object.fromEntries(names.map((name) => {
      return [name, new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? ""];
    })) as Record<Name, string>;
  }

  /** @returns the lines that a unit's processes, and systemd about it, have written. */
  async journal(unit: string): Promise<string[]> {
    const text = await this.must(["journalctl", "--no-pager", "--output=cat", `--unit=${unit}`]);
    return text.split("\n").filter((line) => line !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // With it, as process 1 of its namespace, every process in there ends.
    this.unshare.kill("SIGKILL");
    await this.unshare.status;
    await until("the end of its processes", () => emptied(this.cgroup) ? true : null, {
      ms: 20_000,
    });
    removeCgroups(this.cgroup);
    await Deno.remove(this.top);
  }
}

const SYSTEMD = "/usr/lib/systemd/systemd";

/** @returns where the one hierarchy of cgroup 2 is mounted. */
function cgroup2(): string {
  const mount = mountsOf("self").find(({ type }) => type === "cgroup2");
  if (mount === undefined) throw new Error("cgroup 2 is not mounted here: systemd needs it");
  return mount.target;
}

async function childrenOf(pid: number): Promise<string[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return text.split(" ").filter((word) => word !== "");
}

function emptied(cgroup: string): boolean {
  return /^populated 0$/m.test(Deno.readTextFileSync(`${cgroup}/cgroup.events`));
}

function removeCgroups(folder: string): void {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) removeCgroups(`${folder}/${name}`);
  }
  Deno.removeSync(folder);
}
