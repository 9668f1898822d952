/** Boots a kernel in QEMU, emulated and without any network card, and reads what a program says. */
import { mustRun } from "../../src/host/run.ts";
import type { KernelImage } from "./image.ts";

/** Emulation: about one boot in thirty hangs or panics, wherever it happens to be. */
const BOOTS = 2;
/** After a line from inside, or the start, the next one comes within this time, on a busy box too. */
const SILENT_MS = 150_000;
/** Until the last one: shorter than what the test runner gives a file. */
const END_MS = 560_000;
/**
 * Without AVX, which costs an emulator more than it saves; without cmpxchg16b, after which QEMU 7.2
 * can leave garbage in the flags: of 16 boots of Linux 6.12 with it 12 ended in a panic, most
 * of them in kmalloc with EFLAGS like 7eae23fa; of 16 without it none.
 */
const CPU = "qemu64,-cx16,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand";
/** Of each serial port, as much is read. */
const MOST_BYTES = 1 << 20;

export interface Run {
  /** The lines that the program printed, parsed. */
  lines: Record<string, unknown>[];
  /** What the kernel and the program's standard error said: from the first fault on, or the end. */
  console: string;
  seconds: number;
}

/**
 * @param files what is added to the root, executable: path inside → path here.
 * @param last the step whose line comes last.
 * @returns what came of the last boot. One that hangs or panics on the way is tried once more, and
 * that is said; what the program inside has found to be wrong is not.
 */
export async function boot(
  image: KernelImage,
  files: Record<string, string>,
  last: string,
): Promise<Run> {
  const folder = await Deno.makeTempDir({ prefix: "vei-kernel-" });
  try {
    const disk = `${folder}/root.squashfs`;
    await makeDisk(image, files, folder, disk);
    const until = performance.now() + END_MS;
    for (let attempt = 1;; attempt++) {
      const run = await bootOnce(image, disk, folder, until);
      const reached = run.lines.at(-1)?.step;
      const late = performance.now() > until - SILENT_MS;
      if (reached === last || attempt === BOOTS || late) return run;
      console.log(
        `    boot ${attempt} of ${image.release} came to ${reached ?? "nothing"} in ` +
          `${run.seconds.toFixed(0)} s; it is tried once more. Its console:\n${run.console}`,
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

/** @param until the time, as of `performance.now()`, at which it is killed. */
async function bootOnce(
  image: KernelImage,
  disk: string,
  folder: string,
  until: number,
): Promise<Run> {
  const [said, console] = [`${folder}/said`, `${folder}/console`];
  const begin = performance.now();
  const child = new Deno.Command("qemu-system-x86_64", {
    args: [
      ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
      ...["-machine", "q35", "-accel", "tcg,thread=multi,tb-size=256", "-cpu", CPU],
      ...["-smp", "2", "-m", "1024"],
      ...["-kernel", image.kernel, "-initrd", image.initrd],
      // The check of the timer counts real time: on a busy box an emulated machine fails it, and hangs.
      ...["-append", "console=ttyS0 quiet loglevel=4 panic=-1 no_timer_check"],
      ...["-drive", `file=${disk},format=raw,if=virtio,readonly=on`],
      ...["-serial", `file:${console}`, "-serial", `file:${said}`],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const seconds = () => (performance.now() - begin) / 1000;
  let [ended, heard, since] = [false, 0, 0];
  const ending = child.status.then(() => ended = true);
  try {
    while (!ended) {
      const { size } = await Deno.stat(said).catch(() => ({ size: 0 }));
      if (size > heard) [heard, since] = [size, seconds()];
      if ((seconds() - since) * 1000 > SILENT_MS || until < performance.now()) break;
      await within(ending, 250);
    }
  } finally {
    if (!ended) child.kill("SIGKILL");
    await ending;
  }
  const lines = (await readSome(said)).split("\n").map((line) => line.trim());
  return {
    lines: lines.filter((line) => line.startsWith("{") && line.endsWith("}"))
      .map((line) => JSON.parse(line)),
    console: telling(await readSome(console)) + await errors,
    seconds: seconds(),
  };
}

/** @returns the lines from the first fault on, else the last ones; a screen of them. */
function telling(console: string): string {
  const lines = console.replaceAll("\r", "").trim().split("\n");
  const fault = lines.findIndex((line) => /BUG:|Oops|Kernel panic|general protection/.test(line));
  return lines.slice(fault < 0 ? -15 : fault).slice(0, 25).join("\n");
}

async function readSome(path: string): Promise<string> {
  const bytes = await Deno.readFile(path).catch(() => new Uint8Array());
  return new TextDecoder().decode(bytes.subarray(0, MOST_BYTES));
}

/** Waits for the promise, but not longer than so many ms; leaves no timer behind. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([promise, over]);
  clearTimeout(timer);
}
