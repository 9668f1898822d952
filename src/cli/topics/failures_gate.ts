/** Failures of the gate, and of the virtual machine behind it. */
import type { Failure } from "./failure.ts";

export const GATE: readonly Failure[] = [
  {
    codes: ["tun-missing", "tun-not-permitted"],
    means: "/dev/net/tun is not there, or may not be used: without it there is no tap",
    mend: "`modprobe tun`; in a container allow the device and CAP_NET_ADMIN",
    common: true,
  },
  {
    codes: ["tap-busy"],
    means: "Another process holds the tap, most often a QEMU that is still ending",
    mend: "wait a moment; `vei status` names the process if it stays",
    common: true,
  },
  {
    codes: ["tap-foreign", "netns-foreign"],
    means: "The interface or namespace with our name was made by something else",
    mend:
      "look at it, remove it, or use another --instance; vei does not touch what is not its own",
  },
  {
    codes: ["bpffs-private", "mount-private"],
    means: "A mount that has to outlive this process would vanish with it",
    mend: "run vei in the machine's own mount namespace, without PrivateTmp or the like",
    common: true,
  },
  {
    codes: ["diode-lost"],
    means:
      "The program on the tap, or its table, is not the one that was put there: the tap went " +
      "down and the virtual machine was killed",
    mend: "find out what changed it (another tool with root's rights); `vei serve` raises it again",
    common: true,
  },
  {
    codes: ["link-lost", "link-damaged", "link-absent", "netns-missing"],
    means: "The wire or its namespace is not as it was made, or is not there",
    mend: "find out what changed it; `vei serve` makes it anew",
  },
  {
    codes: ["diode-hook-taken", "diode-interface-up", "diode-elsewhere", "pin-foreign"],
    means: "The place where the diode belongs is taken or already open",
    mend: "follow the hint of the message; `vei diode detach` lets go of an old diode of ours",
  },
  {
    codes: ["diode-foreign", "diode-read-back"],
    means: "What the kernel shows is not the diode that this version of vei knows",
    mend:
      "`vei diode detach`, then start again; if it comes back, report it with your kernel's version",
  },
  {
    codes: ["diode-disagreement", "kernel-not-asked"],
    means:
      "The program in the kernel and the diode's text do not agree, or the kernel was not asked",
    mend: "where they disagree, do not rely on the diode and report it; else run it as root",
  },
  {
    codes: ["diode-absent"],
    means: "No diode is pinned for this instance",
    mend: "`vei serve` attaches one before it starts the virtual machine",
  },
  {
    codes: [
      ...["diode-invalid", "diode-unknown", "diode-unreadable", "diode-too-large", "link-rules"],
      "diode-policy-empty",
    ],
    means: "The diode that the configuration names cannot be read or compiled",
    mend: "the message names line and column; `vei help diodes` shows the language",
    common: true,
  },
  {
    codes: ["proof-*"],
    means: "A diode's program or table is not proved to do what its predicate says",
    mend: "it is not attached: report it with the diode's file and what the message names",
  },
  {
    codes: ["certificate-invalid", "certificate-unreadable"],
    means: "The file given to `vei diode verify --file` is no certificate, or cannot be read",
    mend: "`vei diode prove NAME --out FOLDER` makes one",
  },
  {
    codes: ["solver-missing", "solver-failed"],
    means: "The program was to be proved anew, and CaDiCaL is not there or found no proof",
    mend: "`vei diode verify --all` takes no solver; what it refuses, report",
  },
  {
    codes: ["neighbour-unknown"],
    means: "The sender's hardware address is not known, for `vei diode attach --neigh`",
    mend: "`--netns PATH` names the sender's namespace, e.g. /proc/PID/ns/net of a container",
  },
  {
    codes: ["diode-unfit"],
    means:
      "The configured diode refuses what the model server itself sends; the message names the " +
      "byte",
    mend: "`text`, `hateless` and `utf8` let HTTP through; others work with `vei diode try` and " +
      "`vei diode attach`",
    common: true,
  },
  {
    codes: ["policy-invalid", "policy-unknown", "policy-unreadable", "policy-too-large"],
    means: "A policy that was named, or that the configuration names, cannot be read or compiled",
    mend: "the message names the place; `vei policy check FILE` tells whether it is mended",
    common: true,
  },
  {
    codes: ["policy-twice"],
    means: "Two policies of [policy] default and allow have one name, and differ",
    mend: "give one another name in its file: requests choose them by it",
  },
  {
    codes: ["policy-disagreement"],
    means: "The monitor judges a text otherwise than the search that found it: a fault of vei",
    mend: "do not rely on these policies, and report them",
  },
  {
    codes: ["policy-forbids-everything", "policy-holds-back"],
    means: "A rule of the policy matches the empty text, and so any; or what it matches has no " +
      "bound, so that it may hold back more of an answer than the policy allows",
    mend:
      "the message names the rule: ask for at least one character, bound what repeats, or set " +
      '`max_bytes` and `max_hold = "all"`',
  },
  {
    codes: ["sysctl-refused", "netns-cannot-create"],
    means: "The kernel refused a setting of the network, most often inside a container",
    mend: "run as root with /proc/sys writable",
  },
  {
    codes: ["system-*"],
    means: "A call to the kernel failed; the word after `system-` is the kernel's own name for why",
    mend: "`system-eperm` and `system-eacces` want root or a capability, `system-enospc` space; " +
      "`sudo vei doctor` tries each thing by itself",
    common: true,
  },
];

export const MACHINE: readonly Failure[] = [
  {
    codes: ["image-missing", "image-damaged"],
    means: "The virtual machine's image is not there, or not what its digest says",
    mend: "`sudo vei setup` builds it; `sudo vei setup --check` makes anew what is damaged",
    common: true,
  },
  {
    codes: ["model-unknown", "model-missing", "model-damaged", "models-unreadable"],
    means: "The model is not there, or its file is not what its digest says",
    mend:
      "`vei model list` shows what there is; `sudo vei setup --check` mends, `vei model add` adds",
    common: true,
  },
  {
    codes: ["enclave-not-ready", "enclave-ended", "enclave-late"],
    means: "The virtual machine did not become ready in time, or ended",
    mend:
      "look at QEMU's log in the run folder; give it memory ([enclave] memory) and time: without " +
      "KVM a boot takes many seconds",
    common: true,
  },
  {
    codes: ["kvm-not-working"],
    means: 'The configuration demands KVM (accel = "kvm"), and it does not work here',
    mend: 'set [enclave] accel = "auto", or switch virtualisation on in the firmware',
    common: true,
  },
  {
    codes: ["jail-broken", "jail-trial", "jail-program-missing"],
    means: "QEMU cannot be locked in as it has to be, so it is not run",
    mend:
      "`sudo vei doctor` says what the kernel allows; install bubblewrap; containers often forbid " +
      "new namespaces",
  },
  {
    codes: ["orphan-lives", "pid-file-damaged"],
    means: "A QEMU of an earlier daemon may still run",
    mend: "look for it with `ps -u 64321`, end it, then start again",
  },
  {
    codes: ["qmp-violation"],
    means: "QEMU's monitor said what it should not: the virtual machine was ended",
    mend: "look into it before you trust this machine's QEMU",
  },
  {
    codes: ["qemu-spec"],
    means: "The configuration asks for a virtual machine that cannot be described",
    mend: "look at [enclave] and [link]; `vei help config` lists the ranges",
  },
  {
    codes: ["packages-unavailable", "mirror-unknown", "keyring-missing", "recipe-outdated"],
    means: "The image cannot be built from Debian's packages",
    mend:
      "check network and /etc/apt, then run `vei setup` again; an image that is there still works",
    common: true,
  },
  {
    codes: ["model-unavailable", "pip-missing", "model-digest", "model-format", "model-name"],
    means: "The model cannot be got, or is not the file that was asked for",
    mend: "check network and digest, or bring a file: `vei setup --model FILE`",
    common: true,
  },
  {
    codes: ["disk-full"],
    means: "There is no room to build the image or to keep the model",
    mend: "free some space, or name another folder with --state",
    common: true,
  },
];
