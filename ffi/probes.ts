/**
 * What this machine can do for VEI, found out by doing it, not by version numbers. Nothing stays
 * behind: what is tried is made in a network namespace of its own or never gets a name.
 */
import { Exit, type ExitCode, messageOf, VeiError } from "../src/base/errors.ts";
import { isErrno } from "./bpf_info.ts";
import { BpfMap } from "./bpf_map.ts";
import { BpfProgram } from "./bpf_program.ts";
import { BPFFS, isBpffsMounted, requireHostWideBpffs } from "./bpffs.ts";
import { libbpf } from "./libbpf.ts";
import { requireHostWide } from "./mounts.ts";
import { SystemError } from "./native.ts";
import { interfaceIndex } from "./netdev.ts";
import { netnsId, unshareNetns } from "./netns.ts";
import { CONSTANT_DROP, sendRecord } from "./probe_programs.ts";
import { RingReader } from "./ring.ts";
import { Tap } from "./tap.ts";
import { XdpLink } from "./xdp_link.ts";

export interface ProbeResult {
  name: string;
  /** What it is for, in a few words. */
  wanted: string;
  /** Without it `vei serve` cannot work; otherwise it only works better with it. */
  needed: boolean;
  /** `unknown`: it could not be tried, for lack of rights or for another reason. */
  result: "yes" | "no" | "unknown";
  /** What was found. */
  detail: string;
  /** How to mend it; empty when there is nothing to mend. */
  hint: string;
  /** With which code a command ends that cannot do without. */
  exit: ExitCode;
}

interface Probe {
  name: string;
  wanted: string;
  needed?: false;
  hint: string;
  /** Tries it. @returns what was found. @throws what went wrong; `Absent` when it works otherwise. */
  attempt(): string;
}

/** It was tried, and it is not there or does not do what it should. */
class Absent extends Error {}

/** Errors with which the kernel says that it has no such thing. */
const NOT_THERE = ["EINVAL", "ENOSYS", "EOPNOTSUPP", "ENOENT", "ENODEV", "ENXIO", "E2BIG"];
const AS_ROOT = "run as root, for example with sudo";
const KERNEL = "use a kernel of version 5.11 or newer with BPF, as Debian 12 has";

/** Bits of linux/capability.h. */
const CAPABILITIES = { SETGID: 6, SETUID: 7, SETPCAP: 8, NET_ADMIN: 12, SYS_ADMIN: 21 };

const PROBES: readonly Probe[] = [
  {
    name: "capabilities",
    wanted: `CAP_${Object.keys(CAPABILITIES).join(", CAP_")}`,
    hint: AS_ROOT,
    attempt() {
      const status = Deno.readTextFileSync("/proc/thread-self/status");
      const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)![1]}`);
      const missing = Object.entries(CAPABILITIES)
        .filter(([, bit]) => (effective >> BigInt(bit) & 1n) === 0n).map(([name]) => `CAP_${name}`);
      if (missing.length > 0) throw new Absent(`missing: ${missing.join(", ")}`);
      return `user ${Deno.uid()} has them`;
    },
  },
  {
    name: "libbpf",
    wanted: "libbpf.so.1, to load programs",
    hint: "install the package libbpf1",
    attempt() {
      const version = new Deno.UnsafePointerView(libbpf().libbpf_version_string()!).getCString();
      return `libbpf ${version.replace(/^v/, "")}`;
    },
  },
  {
    name: "frozen-maps",
    wanted: "tables that nobody can change",
    hint: KERNEL,
    attempt() {
      using map = BpfMap.create({
        kind: "array",
        name: "vei_probe",
        valueSize: 8,
        maxEntries: 1,
        readOnlyForProgram: true,
      });
      map.write(new Uint8Array(8).fill(1));
      map.freeze();
      if (!map.frozen()) throw new Absent("the kernel does not say of a frozen map that it is");
      try {
        map.write(new Uint8Array(8));
      } catch (error) {
        if (isErrno(error, "EPERM")) return "a frozen map refused to be written";
        throw error;
      }
      throw new Absent("a frozen map was written");
    },
  },
  {
    name: "ring-buffer",
    wanted: "the gate's reports",
    hint: KERNEL,
    attempt() {
      using map = BpfMap.create({
        kind: "ringbuf",
        name: "vei_probe",
        valueSize: 0,
        maxEntries: 65_536,
      });
      using program = BpfProgram.load({ name: "vei_probe", instructions: sendRecord(map.fd) });
      using ring = new RingReader(map);
      program.run(new Uint8Array(64));
      const count = ring.drain(() => {});
      if (count !== 1) throw new Absent(`${count} records came instead of one`);
      return "a record came through";
    },
  },
  {
    name: "tun",
    wanted: "the virtual machine's wire",
    hint: "load the module (modprobe tun); in a container, pass /dev/net/tun in",
    attempt() {
      using _inside = unshareNetns();
      using tap = Tap.open("veiprobe", { persist: false });
      return `made a tap, ${tap.settings().name}, in a namespace of its own`;
    },
  },
  {
    name: "xdp-link",
    wanted: "the hook that holds the gate, alone",
    hint: KERNEL,
    attempt() {
      using _inside = unshareNetns();
      using _tap = Tap.open("veiprobe", { persist: false });
      using program = BpfProgram.load({ name: "vei_probe", instructions: CONSTANT_DROP });
      const index = interfaceIndex("veiprobe");
      using link = XdpLink.attach(program, index);
      if (link.info().ifindex !== index) throw new Absent("the link does not say where it is");
      try {
        XdpLink.attach(program, index)[Symbol.dispose]();
      } catch (error) {
        if (isErrno(error, "EBUSY")) return "attached to a tap; a second program was refused";
        throw error;
      }
      throw new Absent("a second program was let onto the hook");
    },
  },
  {
    name: "bpffs",
    wanted: `${BPFFS}, the whole machine's, to hold the gate without a process`,
    hint: "mount -t bpf bpf /sys/fs/bpf",
    attempt() {
      if (isBpffsMounted()) {
        requireHostWideBpffs();
        return "mounted, and the machine's own";
      }
      requireHostWide(BPFFS);
      if (!/\tbpf$/m.test(Deno.readTextFileSync("/proc/filesystems"))) {
        throw new Absent("the kernel has no such file system");
      }
      return "not mounted yet: vei mounts it when it needs it";
    },
  },
  {
    name: "network-namespaces",
    wanted: "a namespace for the link alone",
    hint: AS_ROOT,
    attempt() {
      const outside = netnsId();
      {
        using _inside = unshareNetns();
        if (netnsId() === outside) throw new Absent("a new namespace is the old one");
      }
      requireHostWide("/run");
      return "made one and left it";
    },
  },
  {
    name: "kvm",
    wanted: "/dev/kvm, for a fast virtual machine",
    needed: false,
    hint: "without it the virtual machine is emulated: it works, but slowly",
    attempt() {
      try {
        using _device = Deno.openSync("/dev/kvm", { read: true, write: true });
        return "it opens; whether it works is tried before each start";
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) throw new Absent("there is no /dev/kvm");
        throw error;
      }
    },
  },
];

/** @returns an answer for each probe, in the order of need; never throws. */
export function runProbes(): ProbeResult[] {
  return PROBES.map(({ name, wanted, needed = true, hint, attempt }) => {
    try {
      const detail = attempt();
      return { name, wanted, needed, result: "yes", detail, hint: "", exit: Exit.ok };
    } catch (error) {
      const result = judge(name, error);
      // What stopped the trial is to be mended first; the kernel's plain no has our own advice.
      const stopped = error instanceof VeiError &&
        !(result === "no" && error instanceof SystemError);
      const own = stopped ? error.hint : "";
      const detail = messageOf(error).split("\n")[0];
      return { name, wanted, needed, result, detail, hint: own || hint, exit: exitOf(name, error) };
    }
  });
}

/** Lack of rights and a wrong set-up have codes of their own; all else is not available. */
function exitOf(name: string, error: unknown): ExitCode {
  if (name === "capabilities") return Exit.noPermission;
  const own = error instanceof VeiError ? error.exit : Exit.unavailable;
  return own === Exit.noPermission || own === Exit.config ? own : Exit.unavailable;
}

/** Lack of rights, or anything that is not the kernel's plain no, tells nothing of the machine. */
function judge(name: string, error: unknown): "no" | "unknown" {
  if (error instanceof Absent) return "no";
  if (error instanceof SystemError) return NOT_THERE.includes(error.errno) ? "no" : "unknown";
  if (!(error instanceof VeiError)) return "unknown";
  if (error.code === "library-missing") return name === "libbpf" ? "no" : "unknown";
  return error.exit === Exit.unavailable || error.exit === Exit.config ? "no" : "unknown";
}
