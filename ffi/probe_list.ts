/**
 * What VEI asks of the kernel, each tried for real and taken back at once: what is made is made in a
 * network namespace of its own or never gets a name.
 */
import { isErrno } from "./bpf_info.ts";
import { BpfMap } from "./bpf_map.ts";
import { BpfProgram } from "./bpf_program.ts";
import { BPFFS, isBpffsMounted, requireHostWideBpffs } from "./bpffs.ts";
import { CAPABILITY, missingCapabilities } from "./capabilities.ts";
import { libbpf } from "./libbpf.ts";
import { requireHostWide } from "./mounts.ts";
import { interfaceIndex } from "./netdev.ts";
import { netnsId, unshareNetns } from "./netns.ts";
import { CONSTANT_DROP, sendRecord } from "./probe_programs.ts";
import { RingReader } from "./ring.ts";
import { Tap } from "./tap.ts";
import { XdpLink } from "./xdp_link.ts";

export interface Probe {
  /** Stable: people look it up. */
  name: string;
  /** What it is for, in a few words. */
  wanted: string;
  /** How to mend it. */
  hint: string;
  /** Tries it. @returns what was found. @throws what went wrong; `Absent` when it works otherwise. */
  attempt(): string;
}

/** It was tried, and it is not there or does not do what it should. */
export class Absent extends Error {}

const AS_ROOT = "run as root, for example with sudo";
const KERNEL =
  "apt-get install linux-image-amd64 (a kernel of version 5.11 or newer with BPF, as " +
  "Debian 12 has), then start the machine with it";
const XDP_DROP = 1;

/** In the order in which they build on each other. */
export const PROBES: readonly Probe[] = [
  {
    name: "capabilities",
    wanted: `CAP_${Object.keys(CAPABILITY).join(", CAP_")}`,
    hint: AS_ROOT,
    attempt() {
      const missing = missingCapabilities().map((name) => `CAP_${name}`);
      if (missing.length > 0) throw new Absent(`missing: ${missing.join(", ")}`);
      return `user ${Deno.uid()} has them`;
    },
  },
  {
    name: "libbpf",
    wanted: "libbpf.so.1, to load programs",
    hint: "apt-get install libbpf1",
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
    name: "xdp-program",
    wanted: "the gate's program, run by the kernel",
    hint: KERNEL,
    attempt() {
      using program = BpfProgram.load({ name: "vei_probe", instructions: CONSTANT_DROP });
      const { verdict } = program.run(new Uint8Array(64));
      if (verdict !== XDP_DROP) {
        throw new Absent(`it answered ${verdict} where it says ${XDP_DROP}`);
      }
      return "loaded, and dropped a frame that it was given";
    },
  },
  {
    name: "tun",
    wanted: "the virtual machine's wire",
    hint: "modprobe tun (in a container, pass /dev/net/tun in)",
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
];
