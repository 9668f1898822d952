/** The virtual machine: QEMU's parts, its jail, its accelerators, and memory for the guest. */
import { parseSize } from "../base/bytes.ts";
import { qemuClosure } from "../../enclave/closure.ts";
import { inTrialFolder, tryJail } from "../../enclave/jail_trial.ts";
import { KVM, runTrial } from "../../enclave/kvm_trial.ts";
import { JAIL_USER } from "../../enclave/jail.ts";
import { type Check, Lacking, NotTold, requireRootFor } from "./need.ts";
import { PROGRAM_CHECKS } from "./needs_programs.ts";

const MIB = 2 ** 20;
/** What QEMU takes besides the guest's memory: measured 175 MiB, most of it translated code. */
const QEMU_MIB = 200;
/** Emulation on a busy machine takes its time; it hangs now and then, too. */
const EMULATION_MS = 10_000;

export const MACHINE_CHECKS: readonly Check[] = [
  ...PROGRAM_CHECKS,
  {
    id: "qemu-files",
    group: "machine",
    wanted: "QEMU's libraries and firmware, which are all that its jail holds",
    needed: true,
    means: "QEMU would not start in its jail",
    mend: "apt-get install --reinstall qemu-system-x86 seabios",
    find: async () => `${(await qemuClosure()).length} files`,
  },
  {
    id: "jail",
    group: "machine",
    wanted: "QEMU starts in its jail, is confined there, and answers",
    needed: true,
    means: "the virtual machine cannot be started, or not confined as it should be",
    mend: "sysctl -w user.max_user_namespaces=10000 (in a container, user namespaces have to be " +
      "let in)",
    async find(place) {
      requireRootFor(place);
      const files = await qemuClosure();
      const { ms } = await inTrialFolder((folder) => tryJail(folder, files));
      return `started, read back, answered and ended in ${ms} ms`;
    },
  },
  {
    id: "emulation",
    group: "machine",
    wanted: "QEMU runs a guest's first instructions without KVM",
    needed: true,
    means: "where KVM does not work there is nothing to run the guest on",
    mend: "apt-get install --reinstall qemu-system-x86 seabios",
    neededFor: ({ config }) => config.enclave.accel !== "kvm",
    find: (place) => tryAccel(place, "tcg"),
  },
  {
    id: "kvm",
    group: "machine",
    wanted: `${KVM} runs a guest's first instructions`,
    needed: false,
    means: "the virtual machine is emulated: it works, but slowly",
    mend:
      `modprobe kvm_intel || modprobe kvm_amd; setfacl -m u:${JAIL_USER}:rw ${KVM} (where the ` +
      "processor has no virtualisation, or the host does not pass it on, there is nothing to mend)",
    neededFor: ({ config }) => config.enclave.accel === "kvm",
    async find(place) {
      try {
        await Deno.stat(KVM);
      } catch (cause) {
        if (cause instanceof Deno.errors.NotFound) throw new Lacking(`there is no ${KVM}`);
        throw cause;
      }
      return await tryAccel(place, "kvm");
    },
  },
  {
    id: "memory",
    group: "machine",
    wanted: "memory for the guest and for QEMU",
    needed: true,
    means: "the kernel may end the virtual machine at any moment",
    mend: "end something that uses memory, or lower [enclave] memory in the configuration",
    find({ config, daemon }) {
      const wanted = Math.ceil(parseSize(config.enclave.memory) / MIB) + QEMU_MIB;
      const available = availableMiB();
      if (daemon) return `${available} MiB available beside the running daemon`;
      const words = `${available} MiB available, ${wanted} MiB wanted`;
      if (available < wanted) throw new Lacking(words);
      return words;
    },
  },
];

async function tryAccel(
  place: Parameters<Check["find"]>[0],
  accel: "kvm" | "tcg",
): Promise<string> {
  requireRootFor(place);
  const files = await qemuClosure();
  const { works, reason } = await inTrialFolder((run) =>
    runTrial({
      run,
      files,
      accel,
      devices: accel === "kvm" ? [KVM] : [],
      ...(accel === "tcg" ? { deadlineMs: EMULATION_MS } : {}),
    })
  );
  if (!works) throw new Lacking(reason);
  return reason;
}

/** What the kernel says it could give without swapping, and what a control group leaves of that. */
function availableMiB(): number {
  const match = /^MemAvailable:\s*(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/meminfo"));
  if (!match) throw new NotTold("/proc/meminfo does not say how much is available");
  const bytes = Math.min(Number(match[1]) * 1024, groupRoom());
  return Math.floor(bytes / MIB);
}

/** @returns bytes that are left in our own control group (cgroup v2), Infinity without a limit. */
function groupRoom(): number {
  try {
    const path = /^0::(.*)$/m.exec(Deno.readTextFileSync("/proc/self/cgroup"))![1];
    const number = (name: string) =>
      Number(Deno.readTextFileSync(`/sys/fs/cgroup${path}/${name}`).trim());
    const most = number("memory.max");
    return Number.isFinite(most) ? Math.max(0, most - number("memory.current")) : Infinity;
  } catch {
    return Infinity; // No limit ("max"), or no such control group.
  }
}
