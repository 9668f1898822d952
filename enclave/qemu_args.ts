/**
 * The virtual machine as QEMU's argument list: a pure function of its description. The guest gets
 * two read-only disks and one wire; no console, no monitor but QMP on a socket that we made, no
 * default device.
 */
import { Exit, VeiError } from "../src/base/errors.ts";
import { GUEST_MAC, GUEST_PORT, HOST_MAC } from "./link.ts";

export type Accel = "kvm" | "tcg";

/** Where the jail shows kernel and initrd; see `jail.ts`. */
export const KERNEL_IN_JAIL = "/vm/kernel";
export const INITRD_IN_JAIL = "/vm/initrd";

export interface QemuSpec {
  /** The program's path inside the jail. */
  program: string;
  accel: Accel;
  /** Virtual CPUs, and threads of the model server (more threads than CPUs collapse). */
  threads: number;
  memoryMiB: number;
  /** Tokens of context, prompt and answer together. */
  context: number;
  host: string;
  guest: string;
  /** Inherited descriptors. */
  fds: {
    /** An AF_UNIX socket that listens already. */
    qmp: number;
    /** A tap without virtio header: the guest is offered no offloads. */
    tap: number;
    /** Opened read-only: the guest's root file system and the weights. */
    root: number;
    model: number;
  };
  /** Do not start the virtual CPUs (QEMU's `-S`): what a hanging guest looks like, for tests. */
  halted?: boolean;
}

/** QEMU's own seccomp filter: no new programs, no change of identity, priority or affinity. */
export const SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/**
 * MiB of translated code. One boot and one answer fill 100; a full buffer is thrown away and all of
 * it translated again. QEMU's own choice would be up to 1 GiB.
 */
const TRANSLATION_MIB = 256;

/** What every QEMU of ours begins with: no default devices, files, console or display. */
export function bareArguments(accel: Accel, processors: number, memoryMiB: number): string[] {
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "none"],
    ...[
      "-M",
      "q35",
      "-accel",
      accel === "tcg" ? `tcg,thread=multi,tb-size=${TRANSLATION_MIB}` : "kvm",
    ],
    // Without cmpxchg16b: QEMU 7.2 emulates it so that kernels die of it now and then.
    ...["-cpu", accel === "tcg" ? "max,-cx16" : "host"],
    ...["-smp", String(processors), "-m", String(memoryMiB), "-sandbox", SANDBOX],
  ];
}

/** A read-only disk (virtio-blk) on an inherited descriptor: QEMU needs no path to it. */
export function diskArguments(name: string, fd: number, set: number): string[] {
  const block = `driver=raw,node-name=${name},read-only=on,file.driver=file,` +
    `file.read-only=on,file.filename=/dev/fdset/${set}`;
  return [
    ...["-add-fd", `fd=${fd},set=${set}`, "-blockdev", block],
    ...["-device", `virtio-blk-pci,drive=${name}`],
  ];
}

/** @returns the guest's kernel command line. A panic ends QEMU (panic=-1 with -no-reboot). */
export function kernelCommandLine(
  spec: Pick<QemuSpec, "guest" | "host" | "threads" | "context">,
): string {
  return [
    // On a busy machine the emulated timer fails the kernel's check of it.
    "quiet loglevel=0 panic=-1 tsc=reliable no_timer_check mitigations=off",
    `vei.ip=${spec.guest} vei.peer=${spec.host} vei.peermac=${HOST_MAC}`,
    `vei.threads=${spec.threads} vei.context=${spec.context} vei.port=${GUEST_PORT}`,
  ].join(" ");
}

/**
 * @returns program and arguments. Disks are in the guest's order: root (vda), weights (vdb).
 * @throws VeiError `qemu-spec` for numbers that are no descriptors or make no machine.
 */
export function qemuArguments(spec: QemuSpec): string[] {
  const { fds } = spec;
  const numbers = [fds.qmp, fds.tap, fds.root, fds.model];
  if (numbers.some((fd) => !Number.isInteger(fd) || fd < 3) || new Set(numbers).size !== 4) {
    throw invalid(`four different inherited descriptors are needed, not ${numbers.join(", ")}`);
  }
  for (const name of ["threads", "memoryMiB", "context"] as const) {
    if (!Number.isInteger(spec[name]) || spec[name] < 1) throw invalid(`${name}: ${spec[name]}`);
  }
  for (const address of [spec.guest, spec.host]) {
    if (!/^[0-9.]{7,15}$/.test(address)) throw invalid(`no IPv4 address: ${address}`);
  }
  return [
    spec.program,
    ...bareArguments(spec.accel, spec.threads, spec.memoryMiB),
    ...["-chardev", `socket,id=q,fd=${fds.qmp},server=on,wait=off`],
    ...["-mon", "chardev=q,mode=control"],
    ...["-kernel", KERNEL_IN_JAIL, "-initrd", INITRD_IN_JAIL],
    ...["-append", kernelCommandLine(spec)],
    ...diskArguments("root", fds.root, 1),
    ...diskArguments("model", fds.model, 2),
    ...["-netdev", `tap,id=n0,fd=${fds.tap},vhost=off`],
    ...["-device", `virtio-net-pci,netdev=n0,mac=${GUEST_MAC},romfile=`],
    ...(spec.halted ? ["-S"] : []),
  ];
}

function invalid(what: string): VeiError {
  return new VeiError({
    code: "qemu-spec",
    message: `Cannot describe the virtual machine: ${what}`,
    hint: "look at [enclave] and [link] in the configuration",
    exit: Exit.config,
  });
}
