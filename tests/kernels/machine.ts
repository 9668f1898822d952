/** Boots a kernel in QEMU, emulated and without any network card, and reads what a program says. */
import { mustRun } from "../../src/host/run.ts";
import type { KernelImage } from "./image.ts";

/** Emulation: about one boot in thirty hangs. */
const BOOTS = 2;
/** Until the program inside says its first line. */
const BEGIN_MS = 120_000;
/** Until it has said its last. */
const END_MS = 420_000;
/** Without AVX, which costs an emulator more than it saves. */
const CPU = "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand";
/** Of each serial port, as much is read. */
const MOST_BYTES = 1 << 20;

export interface Run {
  /** The lines that the program printed, parsed. */
  lines: Record<string, unknown>[];
  /** The end of what the kernel and the program's standard error said. */
  console: string;
  seconds: number;
}

/**
 * @param files what is added to the root, executable: path inside → path here.
 * @returns what came of the last boot: a boot that does not begin is tried once more.
 */
export async function boot(image: KernelImage, files: Record<string, string>): Promise<Run> {
  const folder = await Deno.makeTempDir({ prefix: "vei-kernel-" });
  try {
    const disk = `${folder}/root.squashfs`;
    await makeDisk(image, files, folder, disk);
    for (let attempt = 1;; attempt++) {
      const run = await bootOnce(image, disk, folder);
      if (run.lines.length > 0 || attempt === BOOTS) return run;
      console.log(
        `    boot ${attempt} of ${image.release} said nothing in ${run.seconds.toFixed(0)} s, ` +
          `once more; its console ended:\n${run.console.slice(-500)}`,
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function makeDisk(
  image: KernelImage,
  files: Record<string, string>,
  folder: string,
  disk: string,
): Promise<void> {
  const root = `${folder}/root`;
  await mustRun("cp", ["-a", image.root, root]);
  for (const [path, source] of Object.entries(files)) {
    await Deno.copyFile(source, `${root}${path}`);
    await Deno.chmod(`${root}${path}`, 0o755);
  }
  // Not compressed: unpacking costs an emulated processor more than reading.
  const plain = ["-noI", "-noD", "-noF", "-noX"];
  const options = ["-noappend", "-all-root", "-no-xattrs", ...plain, "-quiet", "-no-progress"];
  await mustRun("mksquashfs", [root, disk, ...options], { timeoutMs: 120_000 });
  await Deno.remove(root, { recursive: true });
}

async function bootOnce(image: KernelImage, disk: string, folder: string): Promise<Run> {
  const [said, console] = [`${folder}/said`, `${folder}/console`];
  const begin = performance.now();
  const child = new Deno.Command("qemu-system-x86_64", {
    args: [
      ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
      ...["-machine", "q35", "-accel", "tcg,thread=multi,tb-size=256", "-cpu", CPU],
      ...["-smp", "2", "-m", "1024"],
      ...["-kernel", image.kernel, "-initrd", image.initrd],
      ...["-append", "console=ttyS0 quiet loglevel=4 panic=-1"],
      ...["-drive", `file=${disk},format=raw,if=virtio,readonly=on`],
      ...["-serial", `file:${console}`, "-serial", `file:${said}`],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const seconds = () => (performance.now() - begin) / 1000;
  let ended = false;
  const ending = child.status.then(() => ended = true);
  try {
    while (!ended) {
      const silent = (await Deno.stat(said).catch(() => null) ?? { size: 0 }).size === 0;
      if (seconds() * 1000 > (silent ? BEGIN_MS : END_MS)) break;
      await Promise.race([ending, new Promise((resolve) => setTimeout(resolve, 250))]);
    }
  } finally {
    if (!ended) child.kill("SIGKILL");
    await ending;
  }
  const lines = (await readSome(said)).split("\n").map((line) => line.trim());
  return {
    lines: lines.filter((line) => line.startsWith("{") && line.endsWith("}"))
      .map((line) => JSON.parse(line)),
    console: (await readSome(console)).slice(-4000) + await errors,
    seconds: seconds(),
  };
}

async function readSome(path: string): Promise<string> {
  const bytes = await Deno.readFile(path).catch(() => new Uint8Array());
  return new TextDecoder().decode(bytes.subarray(0, MOST_BYTES));
}
