/** What the machine does not have: the daemon says which, and has made nothing. */
import { assertEquals, assertMatch } from "@std/assert";
import { fault } from "./fault.ts";

/** Wrapper: a mount namespace that `script` has changed; nothing of it reaches the machine's own. */
const apart = (script: string) => [
  ...["unshare", "--mount", "--propagation", "private", "sh", "-c"],
  ...[`${script} && exec "$@"`, "sh"],
];

fault("not root", async (world) => {
  const box = await world.box();
  // Another user, but able to use Deno, its cache and this checkout (access(2) asks for the bit).
  const wrap = [
    ...["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"],
    ...["--securebits", "+no_setuid_fixup"],
    ...["--inh-caps", "-all,+dac_override", "--ambient-caps", "-all,+dac_override"],
  ];
  assertMatch(await box.refuses(77, "not-root", { wrap }), /run it with sudo/);
  for (const words of [["diode", "status"], ["diode", "detach"], ["enclave", "restart"]]) {
    assertEquals((await box.vei(words, { wrap })).code, 77, words.join(" "));
  }
});

fault("root without its capabilities", async (world) => {
  const box = await world.box();
  const wrap = ["setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-bpf,-sys_admin"];
  const said = await box.refuses(77, "need-missing", { wrap });
  assertMatch(said, /capabilities .*missing: CAP_SYS_ADMIN/);
});

fault("no libbpf", async (world) => {
  const box = await world.box();
  const wrap = apart(
    "mount --bind /dev/null $(readlink -f $(ldconfig -p | sed -n 's/.*libbpf.so.1 .*=> //p'))",
  );
  assertMatch(await box.refuses(69, "need-missing", { wrap }), /libbpf[^]*libbpf1/);
});

fault("no /dev/net/tun", async (world) => {
  const box = await world.box();
  const wrap = apart("mount -t tmpfs none /dev/net");
  assertMatch(await box.refuses(69, "need-missing", { wrap }), /tun \(.*[^]*modprobe tun/);
});

fault("a kernel without BPF", async (world) => {
  const box = await world.box();
  // bpf(2) answers ENOSYS, by a filter of seccomp(2) that bubblewrap installs.
  world.own("no_bpf");
  const filter = `${box.instance.state}/no_bpf`;
  await Deno.writeFile(filter, NO_BPF);
  const wrap = [
    "sh",
    "-c",
    'exec bwrap --dev-bind / / --cap-add ALL --seccomp 9 "$@" 9<"$0"',
    filter,
  ];
  assertMatch(await box.refuses(69, "need-missing", { wrap }), /frozen-maps .*ENOSYS/);
});

fault("no QEMU", async (world) => {
  const box = await world.box();
  world.own("bin");
  const path = `${box.instance.state}/bin`;
  await Deno.mkdir(path);
  for (const name of ["bwrap", "setpriv", "prlimit", "nsenter", "ldd"]) {
    await Deno.symlink(`/usr/bin/${name}`, `${path}/${name}`);
  }
  const said = await box.refuses(69, "need-missing", { env: { PATH: path } });
  assertMatch(said, /qemu-system-x86_64 \(.*[^]*apt-get install qemu-system-x86/);
});

fault("a private bpffs", async (world) => {
  const box = await world.box();
  const wrap = apart("mount -t bpf bpf /sys/fs/bpf");
  assertMatch(await box.refuses(78, "need-missing", { wrap }), /bpffs .*private/);
});

fault("a mount namespace of its own", async (world) => {
  const box = await world.box();
  const said = await box.refuses(78, "need-missing", { wrap: apart("true") });
  assertMatch(said, /network-namespaces .*would be lost/);
});

/** Classic BPF: load the call's number; 321 is bpf(2) on x86-64: ERRNO(ENOSYS), else ALLOW. */
const NO_BPF = new Uint8Array([
  ...[0x20, 0, 0, 0, 0, 0, 0, 0],
  ...[0x15, 0, 0, 1, 0x41, 0x01, 0, 0],
  ...[0x06, 0, 0, 0, 38, 0, 0x05, 0],
  ...[0x06, 0, 0, 0, 0, 0, 0xff, 0x7f],
]);
