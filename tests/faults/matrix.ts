/**
 * The fault matrix: what is done to VEI, what it must say, and the test that does it. Each row of
 * this folder ends with the same four checks (`fault.ts`): the gate was never open, no receipt is
 * lost or doubled, nothing is left over, and the message says what to do. The runner prints the
 * table with outcomes and times; `tests/style/faults_test.ts` holds it against the tests.
 */

export interface Row {
  /** What is done. */
  readonly done: string;
  /** What is said: the fault by name, and what to do about it. */
  readonly says: readonly RegExp[];
  /** The test's file. */
  readonly file: string;
}

const row = (file: string, done: string, ...says: RegExp[]): Row => ({
  done,
  says,
  file: `tests/faults/${file}_test.ts`,
});

const GATE_LOST = /tap down, virtual machine killed/;
const RAISE_AGAIN = /\[diode-lost\]\n +.*`vei serve` raises it again/;
const LINK_LOST = /\[link-lost\]\n +.*look before restarting/;

/** The rows whose tests are in this folder, by the tests' names. */
export const ROWS = {
  "kill -9 of the daemon at 20 random moments": row(
    "kills",
    "SIGKILL at the start, while it boots, and in mid-answer",
    /adopted, still pinned/,
    /ended the orphaned QEMU, pid \d+/,
    /wrote \d+ receipts of exchanges that were interrupted/,
  ),
  "kill -9 of QEMU at 20 random moments": row(
    "kills",
    "SIGKILL while it boots and in mid-answer",
    /attempt 1 failed: QEMU ended .*trying again/,
    /the virtual machine ended: ended by signal 9/,
  ),
  "kill -9 of the daemon and of QEMU at once": row(
    "kills",
    "both SIGKILLs in one moment, at random ones",
    /adopted, still pinned/,
  ),
  "SIGTERM at random moments of the start": row(
    "kills",
    "SIGTERM from the first instruction to the boot of QEMU",
    /booting the virtual machine/,
  ),
  "kill -9 of the daemon while it answers, at 20 random moments": row(
    "receipts",
    "SIGKILL while three answers stream",
    /wrote \d+ receipts of exchanges that were interrupted/,
  ),
  "a client hangs up": row("receipts", "the client closes its connection in mid-answer"),
  "QEMU is killed in the middle of an answer": row(
    "exchange",
    "SIGKILL after the first word; then a client hangs up",
    /the virtual machine ended: ended by signal 9/,
  ),
  "the model breaks the rule, in a request and outside of one": row(
    "exchange",
    "a forbidden word in the first packet",
    /recorded drops outside of a request, receipt /,
  ),
  "the enclave is restarted on request": row(
    "enclave",
    "`vei enclave restart`",
    /restarting the enclave on request/,
    /\[daemon-not-running\]\n +start it: vei serve/,
  ),
  "QEMU hangs at boot": row("enclave", "SIGSTOP", /nothing answered within 75 s.*trying again/),
  "QEMU ends at once, at every attempt": row(
    "enclave",
    "1 MiB of memory",
    /in 3 attempts: QEMU ended.*last words: .*\[enclave-not-ready\]\n +.*short of memory/,
  ),
  "the guest runs out of memory": row(
    "enclave",
    "too little memory for its server",
    /\[enclave-not-ready\]\n +.*\[enclave\] memory/,
  ),
  "our link is detached": row("gate", "bpf_link_detach", GATE_LOST, RAISE_AGAIN),
  "our link is given another program": row("gate", "bpf_link_update", GATE_LOST, RAISE_AGAIN),
  "our pin is removed": row("gate", "unlink of the pin", GATE_LOST, RAISE_AGAIN),
  "the tap is set down by somebody else": row("gate", "ip link set down", GATE_LOST, LINK_LOST),
  "the tap gets another hardware address": row("gate", "ip link set", GATE_LOST, LINK_LOST),
  "the tap is put into a bridge": row("gate", "ip link set master", GATE_LOST, LINK_LOST),
  "the tap is deleted": row("gate", "ip link delete", GATE_LOST, RAISE_AGAIN),
  "the tap was deleted while no daemon ran": row(
    "outage",
    "ip link delete between two starts",
    /attached to nothing/,
  ),
  "kill -9 of the daemon: the gate goes on without it": row(
    "outage",
    "status, logs and detach without a daemon",
    /is pinned and drops without/,
    /\[diode-absent\]/,
  ),
  "the bpffs is unmounted": row("bpffs", "umount --lazy", GATE_LOST, RAISE_AGAIN),
  "an XDP program is put beside ours": row("beside", "bpf_link_create, ip link set xdp", /EBUSY/),
  "a TC program is put beside ours": row(
    "beside",
    "a tcx program that passes everything",
    /adopted, still pinned/,
  ),
  "the table is written to by another root process": row("beside", "by the map's id", /EPERM/),
  "the tap is set up by somebody else": row("beside", "ip link set up", /adopted, still pinned/),
  "a guest floods, and nobody reads the events": row(
    "beside",
    "50,000 forbidden frames",
    /[0-9]+ more drops were counted, but the full event ring took no note of them/,
  ),
  "the API's port is taken": row(
    "place",
    "another listener",
    /\[port-taken\]\n +choose another address in \[api\] listen/,
  ),
  "an interface of the tap's name that is not ours": row(
    "place",
    "a bridge of that name",
    /\[tap-foreign\]\n +look at it: /,
  ),
  "a namespace of our name with somebody's interface in it": row(
    "place",
    "a bridge in it",
    /\[netns-foreign\]\n +.*remove them, or use another --instance/,
  ),
  "a second daemon": row("place", "by state and by name", /\[state-locked\]\n +stop it first/),
  "somebody else's program on our hook": row(
    "place",
    "attached before ours",
    /\[diode-hook-taken\]\n +find and stop what put it there/,
  ),
  "not root": row("machine", "another user", /\[not-root\]\n +run it with sudo/),
  "root without its capabilities": row("machine", "a bounded set", /missing: CAP_SYS_ADMIN/),
  "no libbpf": row("machine", "the library hidden", /apt-get install libbpf1|libbpf1/),
  "no /dev/net/tun": row("machine", "the device hidden", /modprobe tun/),
  "a kernel without BPF": row("machine", "bpf(2) answers ENOSYS", /frozen-maps .*ENOSYS/),
  "no QEMU": row("machine", "a PATH without it", /apt-get install qemu-system-x86/),
  "a private bpffs": row("machine", "a mount of its own", /bpffs .*private/),
  "a mount namespace of its own": row("machine", "unshare --mount", /would be lost/),
  "out of descriptors": row(
    "limits",
    "RLIMIT_NOFILE from 8 to 255",
    /\[out-of-descriptors\]\n +raise the limit: `ulimit -n 4096`/,
  ),
  "out of descriptors while it serves": row("limits", "RLIMIT_NOFILE below its need, 20 clients"),
  "an unknown key in the configuration": row(
    "config",
    "a misspelt key",
    /unknown key enclave\.memroy[^]*keys of this table: .*memory/,
  ),
  "a configuration that is no TOML": row("config", "a syntax error", /vei\.toml:2:\d+: /),
  "an instance's own configuration is damaged": row(
    "config",
    "an unknown key; a folder in its place",
    /\[config-unreadable\]\n +.*mend its permissions/,
  ),
  "a configuration that cannot be read": row("config", "a missing file", /name a file/),
  "an unknown diode": row("config", "no such name, no such file", /shipped: .*hateless/),
  "a diode with an error": row("config", "two syntax errors", /mine\.toml:4:18: /),
  "no image": row("config", "an empty state folder", /\[image-missing\]\n +run `vei setup`/),
  "a damaged image": row(
    "config",
    "one bit of each file",
    /\[image-damaged\]\n +.*vei setup --check/,
  ),
  "a damaged model": row(
    "config",
    "one bit, one byte less, gone",
    /\[model-damaged\]\n +.*vei setup --check/,
  ),
  "the disk fills up at a receipt": row(
    "disk",
    "a tmpfs of 512 KiB",
    /\[log-unwritable\]|no request is answered without a receipt/,
  ),
  "the disk fills up at the index": row(
    "disk",
    "a tmpfs of 200 KiB below kv.db",
    /cannot index .*free some space/,
  ),
  "the state folder is read-only": row("disk", "remount ro", /\[state-unwritable\]\n +\S/),
  "the index is damaged or deleted": row(
    "state",
    "zeroed, noise, cut, gone",
    /the index .*made anew from the log/,
  ),
  "the log is damaged": row(
    "state",
    "one bit in several places, all of them",
    /\[log-damaged\]\n +.*restore it from a copy/,
  ),
  "the log is cut or zeroed": row(
    "state",
    "empty, zeroed, a line less, a byte less, gone",
    /\[log-shortened\]\n +restore the file from a copy/,
  ),
  "the node's key is damaged, replaced or gone": row(
    "state",
    "cut, readable by others, gone, another one",
    /\[key-unreadable\]\n +restore it from a copy/,
    /\[key-mode\]\n +.*chmod 600/,
    /\[key-missing\]\n +restore it/,
    /\[key-replaced\]\n +restore the old key/,
  ),
  "the state folder is of a newer version": row(
    "state",
    "format 2",
    /\[state-newer\]\n +a newer vei has used it: install that version again/,
  ),
  "the clock is set back": row(
    "state",
    "three times three days, in mid-answer",
    /the clock was set back by [0-9]+ s/,
  ),
} as const satisfies Record<string, Row>;

export type FaultName = keyof typeof ROWS;

/** Rows whose tests stand with the part that they are about; they have checks of their own. */
export const ELSEWHERE: readonly { fault: string; done: string; file: string; test: string }[] = [
  {
    fault: "the disk fills up at an image's build",
    done: "a small tmpfs",
    file: "tests/enclave/setup_test.ts",
    test: "a full disk: a clear error, and the old state stays",
  },
  {
    fault: "SIGKILL of the set-up",
    done: "killed in the middle of a build",
    file: "tests/enclave/setup_test.ts",
    test: "a set-up that is killed leaves the old state, and the next one tidies up",
  },
  {
    fault: "SIGKILL of the installer",
    done: "killed at any moment, then run again",
    file: "tests/install/interrupted_test.ts",
    test: "killed at any moment, the next run does the rest",
  },
  {
    fault: "a frozen map is written to",
    done: "by every kind of descriptor",
    file: "tests/kernel/bpf_test.ts",
    test: "a frozen map takes no more writes, by whatever descriptor",
  },
  {
    fault: "a guest that dials, scans and floods",
    done: "raw frames from a hostile peer",
    file: "tests/kernel/link_isolation_test.ts",
    test: "a guest that dials, scans and floods the host reaches no service",
  },
  {
    fault: "the event ring is full",
    done: "more records than it holds",
    file: "tests/kernel/ring_test.ts",
    test: "a full ring takes no more, and goes on after it was read",
  },
];
