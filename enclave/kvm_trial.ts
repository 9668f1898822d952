/**
 * Whether KVM works here: it may exist and hang at the first instructions, or abort QEMU (nested
 * virtualisation). So a tiny machine is run in the very jail, with a deadline, once per boot of the
 * box: firmware, then a boot sector that tells QEMU to end with a code of our choice.
 */
import { openInheritable } from "../ffi/process.ts";
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import { QEMU } from "./closure.ts";
import { JAIL_DEVICES, JAIL_USER, type JailFile, type JailSpec, limitsFor } from "./jail.ts";
import { killTree, lastWords, launch } from "./launch.ts";
import { waitUntilGone } from "./processes.ts";
import { type Accel, bareArguments, diskArguments } from "./qemu_args.ts";

export const KVM = "/dev/kvm";
export const TRIAL_MS = 3000;
const DISK_BYTES = 2 ** 20;
const PORT = 0xf4;
/** isa-debug-exit ends QEMU with twice the written byte plus one. */
const WRITTEN = 0x10, EXPECTED_CODE = 2 * WRITTEN + 1;

export interface TrialResult {
  works: boolean;
  /** For people: what happened. */
  reason: string;
}

/** @returns a disk whose boot sector writes one byte to a port, then halts. */
export function trialDisk(): Uint8Array<ArrayBuffer> {
  const disk = new Uint8Array(DISK_BYTES);
  // mov al, WRITTEN; out PORT, al; hlt; jmp to the hlt
  disk.set([0xb0, WRITTEN, 0xe6, PORT, 0xf4, 0xeb, 0xfd]);
  disk.set([0x55, 0xaa], 510);
  return disk;
}

export interface TrialOptions {
  /** A folder for the trial's disk and log. */
  run: string;
  files: readonly JailFile[];
  accel: Accel;
  /** Devices beyond those of every jail. */
  devices: readonly string[];
  deadlineMs?: number;
  /** What runs instead of QEMU; for tests of hang and abort. */
  command?: readonly string[];
}

/**
 * Runs the tiny machine.
 * @returns whether it ended by itself with the right code; a hang and an abort count alike.
 */
export async function runTrial(options: TrialOptions): Promise<TrialResult> {
  const deadlineMs = options.deadlineMs ?? TRIAL_MS;
  const disk = `${options.run}/trial.disk`;
  const log = `${options.run}/trial.log`;
  await Deno.writeFile(disk, trialDisk(), { mode: 0o600 });
  try {
    const child = launch({
      log,
      prepare: (keep) => trialSpec(options, keep(openInheritable(disk, "read"))),
    });
    const started = performance.now();
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      killTree(child);
    }, deadlineMs);
    const status = await child.status;
    clearTimeout(timer);
    await waitUntilGone(killTree(child), 2000);
    const ms = Math.round(performance.now() - started);
    if (hung) return { works: false, reason: `it hung: nothing within ${deadlineMs} ms` };
    if (status.code === EXPECTED_CODE) return { works: true, reason: `tried: ${ms} ms` };
    const words = lastWords(log);
    return {
      works: false,
      reason: `QEMU ended with ${status.signal ?? status.code}${words === "" ? "" : `: ${words}`}`,
    };
  } finally {
    for (const path of [disk, log]) await Deno.remove(path).catch(() => {});
  }
}

function trialSpec(options: TrialOptions, fd: number): JailSpec {
  const memoryMiB = 32;
  return {
    user: JAIL_USER,
    files: options.files,
    data: [],
    devices: [...JAIL_DEVICES, ...options.devices],
    limits: limitsFor(memoryMiB, 0),
    command: options.command ?? [
      QEMU,
      ...bareArguments(options.accel, 1, memoryMiB),
      ...diskArguments("boot", fd, 1),
      ...["-device", `isa-debug-exit,iobase=${PORT},iosize=1`],
    ],
  };
}

export interface AccelChoice {
  accel: Accel;
  reason: string;
}

/**
 * Decides between KVM and emulation; the trial's result is kept in the run folder under the box's
 * boot id.
 * @param wanted `auto` takes KVM where it works.
 * @throws VeiError `kvm-not-working` when it is wanted and does not.
 */
export async function chooseAccel(
  wanted: "auto" | Accel,
  run: string,
  files: readonly JailFile[],
): Promise<AccelChoice> {
  if (wanted === "tcg") return { accel: "tcg", reason: "emulation is configured" };
  const result = await kvmWorks(run, files);
  if (result.works) return { accel: "kvm", reason: `KVM works (${result.reason})` };
  if (wanted === "auto") return { accel: "tcg", reason: `no KVM: ${result.reason}` };
  throw new VeiError({
    code: "kvm-not-working",
    message: `[enclave] accel is "kvm", and KVM does not work here: ${result.reason}`,
    hint: 'set it to "auto": emulation is slow, but works everywhere',
    exit: Exit.unavailable,
  });
}

async function kvmWorks(run: string, files: readonly JailFile[]): Promise<TrialResult> {
  if (!await Deno.stat(KVM).then(() => true, () => false)) {
    return { works: false, reason: `${KVM} is not there` };
  }
  const bootId = (await Deno.readTextFile("/proc/sys/kernel/random/boot_id")).trim();
  const known = await recall(run, bootId);
  if (known !== null) return known;
  let result: TrialResult;
  try {
    result = await runTrial({ run, files, accel: "kvm", devices: [KVM] });
  } catch (error) {
    return { works: false, reason: `it cannot be tried: ${messageOf(error)}` };
  }
  if (/KVM kernel module: Permission denied/.test(result.reason)) {
    result.reason = `the jail's user may not open ${KVM} (setfacl -m u:${JAIL_USER}:rw ${KVM})`;
  }
  await remember(run, bootId, result);
  return result;
}

const trialPath = (run: string) => `${run}/kvm-trial.json`;

/** @returns what was found since the box was booted, or null. */
export async function recall(run: string, bootId: string): Promise<TrialResult | null> {
  try {
    const known = JSON.parse(await Deno.readTextFile(trialPath(run)));
    if (known.bootId !== bootId || typeof known.works !== "boolean") return null;
    return { works: known.works, reason: String(known.reason) };
  } catch {
    return null;
  }
}

/** Keeps a trial's result. */
export async function remember(run: string, bootId: string, result: TrialResult): Promise<void> {
  const temporary = `${trialPath(run)}.new`;
  await Deno.writeTextFile(temporary, JSON.stringify({ bootId, ...result }), { mode: 0o600 });
  await Deno.rename(temporary, trialPath(run));
}
