import { assert, assertEquals, assertThrows } from "@std/assert";
import { VeiError } from "../src/base/errors.ts";
import { parseLdd } from "./closure.ts";
import { JAIL_USER, jailArguments, type JailSpec, limitsFor, LOG_BYTES } from "./jail.ts";
import { type JailFacts, jailFaults, NAMESPACES, parseLimits } from "./jail_check.ts";

const SPEC: JailSpec = {
  user: 64321,
  files: [{ source: "/usr/lib/libz.so.1.2", target: "/lib/libz.so.1" }],
  data: [{ fd: 20, target: "/vm/kernel" }],
  devices: ["/dev/null", "/dev/urandom"],
  limits: { fileBytes: 1000, openFiles: 256, processes: 9, addressBytes: 5000 },
  command: ["/usr/bin/program", "--its", "own"],
};

Deno.test("the jail is exactly this list of arguments", () => {
  assertEquals(jailArguments(SPEC), [
    "setsid",
    ...["setpriv", "--reuid", "64321", "--regid", "64321", "--clear-groups"],
    ...["--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all"],
    ...["prlimit", "--fsize=1000", "--nofile=256", "--nproc=9", "--as=5000", "--core=0"],
    ...["--memlock=0", "--msgqueue=0", "--rtprio=0", "--nice=0"],
    ...["bwrap", "--unshare-user", "--disable-userns", "--unshare-net", "--unshare-pid"],
    ...["--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
    ...["--uid", "64321", "--gid", "64321", "--hostname", "enclave", "--new-session"],
    ...["--cap-drop", "ALL", "--clearenv"],
    ...["--ro-bind", "/usr/lib/libz.so.1.2", "/lib/libz.so.1"],
    ...["--dev-bind", "/dev/null", "/dev/null", "--dev-bind", "/dev/urandom", "/dev/urandom"],
    ...["--ro-bind-data", "20", "/vm/kernel"],
    ...["--remount-ro", "/", "--chdir", "/", "--"],
    ...["/usr/bin/program", "--its", "own"],
  ]);
});

Deno.test("a daemon's death does not end QEMU", () => {
  assert(!jailArguments(SPEC).includes("--die-with-parent"));
});

Deno.test("the limit on files leaves room for the kernel, and never less than the log", () => {
  assertEquals(limitsFor(256, 14_000_000).fileBytes, 14_000_000);
  assertEquals(limitsFor(256, 0).fileBytes, LOG_BYTES);
});

Deno.test("ldd's output gives libraries and loader, and a missing one is told", () => {
  const text = "\tlinux-vdso.so.1 (0x00007f58)\n" +
    "\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f58fb27c000)\n" +
    "\t/lib64/ld-linux-x86-64.so.2 (0x00007f58fb38f000)\n";
  assertEquals(parseLdd(text), [
    "/lib/x86_64-linux-gnu/libz.so.1",
    "/lib64/ld-linux-x86-64.so.2",
  ]);
  const error = assertThrows(() => parseLdd("\tlibz.so.1 => not found\n"), VeiError);
  assertEquals(error.code, "qemu-missing");
});

const ID = Array(4).fill(JAIL_USER).join("\t");
const FACTS: JailFacts = {
  status: {
    ...{ Uid: ID, Gid: ID, Groups: "", NoNewPrivs: "1" },
    ...Object.fromEntries(
      ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map((name) => [name, "0".repeat(16)]),
    ),
  },
  seccomp: ["2", "2"],
  sharedNamespaces: [],
  mounts: [
    { target: "/", readOnly: true, type: "tmpfs" },
    { target: "/lib/libz.so.1", readOnly: true, type: "ext4" },
    { target: "/dev/null", readOnly: false, type: "devtmpfs" },
  ],
  limits: parseLimits(
    "Limit                     Soft Limit           Hard Limit           Units     \n" +
      "Max file size             65536                65536                bytes     \n" +
      "Max core file size        0                    0                    bytes     \n" +
      "Max processes             1024                 1024                 processes \n" +
      "Max open files            256                  256                  files     \n" +
      "Max address space         4563402752           4563402752           bytes     \n",
  ),
  descriptors: ["/dev/null", "/run/t/qemu.log", "anon_inode:[eventfd]", "socket:[1]"],
  session: 5,
};
const WISH = {
  targets: ["/lib/libz.so.1"],
  devices: ["/dev/null"],
  open: ["/dev/null", "/run/t/qemu.log"],
  ourSession: 4,
};

Deno.test("the read-back finds nothing wrong with what was asked for", () => {
  assertEquals(jailFaults(FACTS, WISH), []);
});

Deno.test("the read-back finds every single difference", () => {
  const status = (name: string, value: string) => ({
    status: { ...FACTS.status, [name]: value },
  });
  const mount = (more: JailFacts["mounts"]) => ({ mounts: [...FACTS.mounts, ...more] });
  const wrong: Partial<JailFacts>[] = [
    status("Uid", "0\t0\t0\t0"),
    status("Uid", `${JAIL_USER}\t${JAIL_USER}\t0\t${JAIL_USER}`),
    status("Gid", "0\t0\t0\t0"),
    status("Groups", "0"),
    status("CapEff", "0000000000000001"),
    status("CapBnd", "000001ffffffffff"),
    status("CapAmb", "0000000000000001"),
    status("NoNewPrivs", "0"),
    { seccomp: ["2", "0"] },
    ...NAMESPACES.map((kind) => ({ sharedNamespaces: [kind] })),
    mount([{ target: "/etc/passwd", readOnly: true, type: "ext4" }]),
    mount([{ target: "/", readOnly: true, type: "tmpfs" }]),
    { mounts: [{ target: "/", readOnly: false, type: "tmpfs" }] },
    { mounts: [{ target: "/", readOnly: true, type: "ext4" }] },
    { mounts: [FACTS.mounts[0], { ...FACTS.mounts[1], readOnly: false }] },
    { limits: { ...FACTS.limits, "Max file size": "unlimited" } },
    { limits: { ...FACTS.limits, "Max core file size": "1" } },
    { limits: { ...FACTS.limits, "Max open files": "unlimited" } },
    { limits: {} },
    { descriptors: [...FACTS.descriptors, "pipe:[7]"] },
    { descriptors: [...FACTS.descriptors, "/var/lib/vei/node.key"] },
    { session: 4 },
  ];
  for (const change of wrong) {
    assert(jailFaults({ ...FACTS, ...change }, WISH).length > 0, JSON.stringify(change));
  }
});
