/** What can fail where a user sees it: the code in brackets, what it means, and what to do. */

export interface Failure {
  /** `*` stands for any ending. */
  codes: readonly string[];
  /** Without a final full stop. */
  means: string;
  /** What to do, without a final full stop. */
  mend: string;
  /** Stands in the README too. */
  common?: true;
}

const START: readonly Failure[] = [
  {
    codes: ["not-root"],
    means: "Taps, namespaces and programs in the kernel take root",
    mend: "run it with sudo; `vei ask --model mock` and `vei verify` work without",
    common: true,
  },
  {
    codes: ["daemon-not-running"],
    means: "The command asks the daemon, and none runs for this instance and this user",
    mend: "start it: `vei serve`, or `systemctl start vei`; `--instance` names another one",
    common: true,
  },
  {
    codes: ["daemon-silent", "daemon-refused"],
    means: "The daemon runs but did not answer, or refused the request",
    mend: "`vei status` shows its phase and `vei logs` its last events; while it boots, wait",
    common: true,
  },
  {
    codes: ["port-taken", "listen-failed"],
    means: "The API's address cannot be used, most often because another program listens there",
    mend: "`ss -ltnp` names the program; end it, or choose another address in [api] listen",
    common: true,
  },
  {
    codes: ["state-locked"],
    means: "Another vei process works on the same state folder or instance",
    mend: "stop it (`vei status` shows it), or use another --instance or --state",
    common: true,
  },
  {
    codes: ["state-unwritable", "pins-unwritable"],
    means: "A folder that the daemon writes to cannot be written",
    mend: "run as root, look at the mount (`findmnt -T FOLDER`), or name a folder with --state",
  },
  {
    codes: ["state-newer", "state-format"],
    means: "The state folder was written by a newer vei, or its mark cannot be read",
    mend: "use that version of vei, or name another folder with --state; nothing was changed",
  },
  {
    codes: ["config-invalid"],
    means: "The configuration has a syntax error, an unknown key or a value out of range",
    mend: "mend the place that the message names; `vei help config` lists every key",
    common: true,
  },
  {
    codes: ["config-unreadable"],
    means: "There is a configuration file, but it cannot be read",
    mend: "mend its permissions; vei never takes a default in place of a file it cannot read",
  },
  {
    codes: ["need-missing", "program-missing", "library-missing", "qemu-missing"],
    means: "Something that has to be installed is not there",
    mend: "`sudo vei doctor` names each need and the package that brings it",
    common: true,
  },
  {
    codes: ["program-failed"],
    means: "A program that vei runs ended with an error; its last words stand in the message",
    mend: "run the command in the hint by hand to see all of its output",
  },
];

const GATE: readonly Failure[] = [
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
    codes: ["diode-absent"],
    means: "No diode is pinned for this instance",
    mend: "`vei serve` attaches one before it starts the virtual machine",
  },
  {
    codes: ["diode-invalid", "diode-unknown", "diode-unreadable", "diode-too-large", "link-rules"],
    means: "The diode that the configuration names cannot be read or compiled",
    mend: "the message names line and column; `vei help diodes` shows the language",
    common: true,
  },
  {
    codes: ["policy-invalid", "policy-unknown", "policy-unreadable", "policy-too-large"],
    means: "The policy that the configuration names cannot be read or compiled",
    mend: "the message names the place; `vei help policies` shows the file's form",
    common: true,
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

const MACHINE: readonly Failure[] = [
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

const EXCHANGE: readonly Failure[] = [
  {
    codes: ["queue-full"],
    means: "As many requests as [api] max_queue allows are waiting already",
    mend: "try again later, or raise [api] max_queue",
  },
  {
    codes: ["model-silent", "model-refused", "model-unreachable", "model-answer-malformed"],
    means: "The model's server did not answer, or not as it should; the exchange was broken off",
    mend:
      "a prompt may be longer than [enclave] context; else `vei enclave restart` gives a new one",
    common: true,
  },
  {
    codes: ["log-unwritable"],
    means: "A receipt cannot be written, so nothing is answered",
    mend: "free some space or mend the disk; the daemon goes on by itself afterwards",
    common: true,
  },
  {
    codes: ["log-damaged", "log-shortened", "log-unreadable"],
    means: "The receipts' log is not as it was written, or cannot be read",
    mend: "keep the file as it is and restore it from a copy; nothing is added to a damaged log",
    common: true,
  },
  {
    codes: ["index-unusable"],
    means: "The index of the receipts cannot be opened",
    mend: "move kv.db away: it is made anew from the log",
  },
  {
    codes: ["key-missing", "key-mode", "key-unreadable", "key-replaced"],
    means: "The key that signs receipts is gone, changed, or open to others",
    mend: "restore it from a copy; vei never makes a new key beside receipts of an old one",
    common: true,
  },
  {
    codes: ["receipt-unknown"],
    means: "No receipt in this state folder has that id",
    mend: "`vei receipt list` shows them; --state names another folder",
  },
  {
    codes: ["judges-disagree"],
    means: "Two independent implementations disagree on a signature",
    mend: "believe neither; keep the file and report it",
  },
];

const COMMAND_LINE: readonly Failure[] = [
  {
    codes: ["usage", "prompt", "instance-name", "model-url"],
    means: "The command line or the prompt is not right",
    mend: "`vei COMMAND --help` shows what a command takes",
  },
  {
    codes: [
      "file-unreadable",
      "out-unwritable",
      "report-exists",
      "report-unwritable",
      "trusted-keys",
    ],
    means: "A file that the command line names cannot be read or made",
    mend: "look at its path and permissions; a file that is there is not overwritten",
  },
  {
    codes: ["report-unsafe"],
    means:
      "The report for an issue would have held what must not leave the machine, so none was made",
    mend: "report that, without the bundle: this is a fault of vei",
  },
  {
    codes: ["demo-failed"],
    means: "A step of the demonstration did not show what it should",
    mend: "run `sudo vei doctor`; `vei demo --keep DIR` keeps the daemon's log",
  },
];

const INSTALLATION: readonly Failure[] = [
  {
    codes: ["file-foreign"],
    means: "A file that vei would install is there already, and something else put it there",
    mend: "move it away and run the same command again; nothing was changed",
  },
  {
    codes: ["install-failed", "manifest-damaged"],
    means: "A file cannot be put in its place, or the list of what is installed cannot be read",
    mend: "mend the cause and run the same command again: what was there is unchanged",
  },
  {
    codes: ["user-taken", "user-unknown"],
    means: "The virtual machine needs a user of its own, whose name or number is taken or unknown",
    mend: "give the other user another number (`usermod -u`), or mend the name service",
  },
];

/** Under headings, in the order in which people meet them. */
export const FAILURES: readonly (readonly [title: string, failures: readonly Failure[]])[] = [
  ["Starting", START],
  ["The gate", GATE],
  ["The virtual machine and its model", MACHINE],
  ["Requests and receipts", EXCHANGE],
  ["Installing", INSTALLATION],
  ["The command line", COMMAND_LINE],
];

/** @returns the entry of a code, or undefined. */
export function failureOf(code: string): Failure | undefined {
  return FAILURES.flatMap(([, failures]) => failures).find(({ codes }) =>
    codes.some((one) =>
      one === code || (one.endsWith("*") && code.startsWith(one.slice(0, -1)) && code !== one)
    )
  );
}

/** @returns every code that has an entry. */
export function failureCodes(): string[] {
  return FAILURES.flatMap(([, failures]) => failures.flatMap(({ codes }) => codes));
}
