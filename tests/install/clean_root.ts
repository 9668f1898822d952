/**
 * A machine of a test's own: this machine's files under an overlay in memory, with fresh /proc, /run,
 * /mnt, bpffs and network, and nothing of VEI's in it. All of it is gone with its first process.
 */
import { testState } from "../tools/state.ts";
import type { Ran } from "../tools/vei.ts";
import { type Entry, readUpper } from "./upper.ts";

/** What VEI may have put on the machine that the tests run on; hidden in the clean root. */
const HIDDEN = [
  ...["/usr/local/bin/vei", "/usr/local/lib/vei", "/etc/vei", "/var/lib/vei", "/var/cache/vei"],
];

/** Makes the mounts and waits; the end of its standard input is its end. */
const FIRST = String.raw`
set -eu
top=$1 state=$2
shift 2
mount --make-rprivate /
mount -t tmpfs tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root"
root=$top/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs sysfs "$root/sys"
mount -t bpf bpf "$root/sys/fs/bpf"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/mnt"
mkdir -p "$root/run/netns" "$root/run/lock"
ip link set lo up
for path in "$@"; do rm -rf "$root$path"; done
if [ -n "$state" ]; then
  mkdir "$root/var/lib/vei"
  cp -a "$state/images" "$state/models" "$root/var/lib/vei/"
fi
cd "$root"
exec chroot "$root" sh -c 'echo ready; while read -r line; do :; done'
`;

export interface InsideOptions {
  env?: Record<string, string>;
  timeoutMs?: number;
}

export class CleanRoot implements AsyncDisposable {
  private constructor(
    private readonly unshare: Deno.ChildProcess,
    private readonly top: string,
    private readonly pid: number,
  ) {}

  /** @param options `state`: with the guest image and model of the tests in /var/lib/vei. */
  static async make({ state = false } = {}): Promise<CleanRoot> {
    const top = await Deno.makeTempDir({ prefix: "vei-root-" });
    const unshare = new Deno.Command("unshare", {
      args: [
        ...["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"],
        ...["sh", "-c", FIRST, "sh", top, state ? await testState() : "", ...HIDDEN],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const words = unshare.stdout.getReader();
    const { done } = await words.read();
    words.releaseLock();
    await unshare.stdout.cancel();
    if (done) {
      await unshare.stdin.close();
      await unshare.status;
      throw new Error("the clean root could not be made: its own words are above");
    }
    const children = await Deno.readTextFile(`/proc/${unshare.pid}/task/${unshare.pid}/children`);
    return new CleanRoot(unshare, top, Number(children.trim()));
  }

  /** @returns the path, seen from outside, of a path inside. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  /** Copies a file of the machine into /mnt, which `differences` does not look at. */
  async put(file: string, name: string): Promise<string> {
    const inside = `/mnt/${name}`;
    await Deno.copyFile(file, this.path(inside));
    return inside;
  }

  read(inside: string): Promise<string> {
    return Deno.readTextFile(this.path(inside));
  }

  /** Starts a program inside; killed, the program itself is killed as well. */
  start(command: string[], { env = {} }: InsideOptions = {}): Deno.ChildProcess {
    return new Deno.Command("nsenter", {
      args: [
        ...["--target", String(this.pid), "--mount", "--pid", "--net", "--ipc", "--uts"],
        ...["--root", "--wd", "setpriv", "--pdeathsig", "KILL", "--", ...command],
      ],
      clearEnv: true,
      env: {
        ...{ PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
        ...{ HOME: "/nonexistent", NO_COLOR: "1", ...env },
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs a program inside to its end. */
  async run(command: string[], options: InsideOptions = {}): Promise<Ran> {
    const child = this.start(command, options);
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 120_000);
    const output = await child.output();
    clearTimeout(timer);
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
  }

  /** Runs a program inside that must succeed. @returns what it printed on standard output. */
  async must(command: string[], options: InsideOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, options);
    if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** @returns how the file system differs from this machine's, by path. */
  async differences(): Promise<Map<string, Entry>> {
    return await readUpper(this.pid, `${this.top}/upper`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unshare.stdin.close();
    await this.unshare.status;
    await Deno.remove(this.top);
  }
}
