/** Which files of the host QEMU needs to run: program, libraries, firmware, accelerator. */
import { Exit, VeiError } from "../src/base/errors.ts";
import { mustRun } from "../src/host/run.ts";
import type { JailFile } from "./jail.ts";

export const QEMU = "/usr/bin/qemu-system-x86_64";

/** QEMU looks for modules relative to its own path; newer builds have this one built in. */
const MODULES = ["/usr/lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so"];

/** The machine's firmware, then the option ROMs that load a kernel and speed up KVM. */
const FIRMWARE = [
  ["/usr/share/seabios/bios-256k.bin", "/usr/share/qemu/bios-256k.bin"],
  ["/usr/share/qemu/linuxboot_dma.bin", "/usr/share/seabios/linuxboot_dma.bin"],
  ["/usr/share/qemu/kvmvapic.bin", "/usr/share/seabios/kvmvapic.bin"],
];

/**
 * @param text what ldd(1) prints.
 * @returns absolute paths of libraries and loader.
 * @throws VeiError `qemu-missing` when one is not found.
 */
export function parseLdd(text: string): string[] {
  const paths: string[] = [];
  for (const line of text.split("\n")) {
    if (line.includes("=> not found")) throw missing(line.trim());
    const match = /^\s*(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line);
    if (match) paths.push(match[1]);
  }
  return paths;
}

/**
 * @param programs what is to run inside; each is there at its own path.
 * @returns them and all libraries that they load at start.
 * @throws VeiError `program-missing`, `program-failed`, `qemu-missing`
 */
export async function closureOf(programs: readonly string[]): Promise<JailFile[]> {
  const targets = new Set<string>();
  for (const program of programs) {
    targets.add(program);
    for (const path of parseLdd(await mustRun("ldd", [program]))) targets.add(path);
  }
  return await Promise.all([...targets].sort().map(readOnly));
}

/** What builds the jail, with the package of each. */
const BUILDERS: Record<string, string> = {
  bwrap: "bubblewrap",
  setpriv: "util-linux",
  prlimit: "util-linux",
  setsid: "util-linux",
};

/** The only places that the jail's builders are looked for in. */
export const JAIL_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** @throws VeiError `jail-program-missing` unless all of these programs are there. */
export async function requireBuilders(builders = BUILDERS): Promise<void> {
  for (const [name, origin] of Object.entries(builders)) {
    const places = JAIL_PATH.split(":").map((folder) => `${folder}/${name}`);
    if ((await filter(places)).length > 0) continue;
    throw new VeiError({
      code: "jail-program-missing",
      message: `QEMU cannot be jailed: the program ${name} is not there`,
      hint: `install it: apt-get install ${origin}`,
      exit: Exit.unavailable,
    });
  }
}

/**
 * @param qemu the program.
 * @returns everything that QEMU needs, and nothing else.
 * @throws VeiError `qemu-missing`, `program-failed`
 */
export async function qemuClosure(qemu = QEMU): Promise<JailFile[]> {
  if (!await exists(qemu)) throw missing(qemu);
  const modules = await filter(MODULES);
  const firmware: JailFile[] = [];
  for (const places of FIRMWARE) {
    const [found] = await filter(places);
    if (found === undefined) throw missing(places[0]);
    firmware.push(await readOnly(found));
  }
  return [...await closureOf([qemu, ...modules]), ...firmware];
}

async function readOnly(target: string): Promise<JailFile> {
  return { source: await Deno.realPath(target), target };
}

async function filter(paths: readonly string[]): Promise<string[]> {
  const there = await Promise.all(paths.map(exists));
  return paths.filter((_, i) => there[i]);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function missing(what: string): VeiError {
  return new VeiError({
    code: "qemu-missing",
    message: `QEMU cannot run: ${what} is not there`,
    hint: "install it: apt-get install qemu-system-x86 seabios (`vei doctor` checks the rest)",
    exit: Exit.unavailable,
  });
}
