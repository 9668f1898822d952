/** What was taken away from the doctor: each trial fails for real, and says how that is mended. */
import { assertEquals } from "@std/assert";
import { openLibraries } from "../../ffi/native.ts";
import { apart, assertOnly, assertSays, Practice } from "../tools/doctor.ts";
import { testState } from "../tools/state.ts";

openLibraries();

Deno.test("no programs: each with the package that brings it", async () => {
  await using practice = await Practice.open();
  const finding = await practice.examine([], { env: { PATH: `${practice.folder}/tmp` } });
  assertEquals(finding.code, 69);
  const lacks = (
    program: string,
    origin: string,
  ) => [program, ["no", RegExp(`there is no program ${program}`), RegExp(`^apt-get .*${origin}`)]];
  assertSays(
    finding,
    Object.fromEntries([
      lacks("qemu-system-x86_64", "install qemu-system-x86$"),
      lacks("bwrap", "install bubblewrap$"),
      ...["setpriv", "prlimit", "setsid", "nsenter"].map((one) =>
        lacks(one, "install util-linux$")
      ),
      lacks("ldd", "install libc-bin$"),
      lacks("apt-get", "update"),
      lacks("apt-cache", "install apt$"),
      lacks("dpkg-deb", "install dpkg$"),
      lacks("mksquashfs", "install squashfs-tools$"),
      lacks("xz", "install xz-utils$"),
      lacks("zstd", "install zstd$"),
      ["pip", ["no", /neither python3 -m pip nor pip3 runs/, /^apt-get install python3-pip/]],
    ]),
  );
});

Deno.test("no firmware and no keys of Debian's", async () => {
  await using practice = await Practice.open();
  const wrap = apart(
    "mount --bind /dev/null /usr/share/seabios/bios-256k.bin && " +
      "mount -t tmpfs none /usr/share/keyrings",
  );
  const finding = await practice.examine([], { wrap });
  assertSays(finding, {
    jail: ["no", /QEMU ended with 1: .*bios-256k/, /apt-get install .*seabios/],
    emulation: ["no", /QEMU ended with 1: .*bios-256k/, /apt-get install .*seabios/],
    "debian-keyring": ["no", /there is no/, /apt-get install debian-archive-keyring/],
  });
});

Deno.test("a bubblewrap that cannot be run: no jail", async () => {
  await using practice = await Practice.open();
  const wrap = apart("mount --bind /dev/null /usr/bin/bwrap");
  const finding = await practice.examine([], { wrap });
  assertSays(finding, {
    bwrap: ["no", /no program bwrap/, /apt-get install bubblewrap/],
    jail: ["no", /QEMU ended with 126: .*bwrap/, /apt-get install .*bubblewrap/],
  });
});

Deno.test("no user namespaces: no jail, and the kernel's setting is named", async () => {
  await using practice = await Practice.open();
  const finding = await practice.examine([], {
    wrap: await filtered(practice, NO_USER_NAMESPACES),
  });
  assertEquals(finding.code, 69);
  assertSays(finding, {
    jail: ["no", /bwrap: /, /sysctl -w .*user\.max_user_namespaces/],
    emulation: ["no", /bwrap: /, /./],
  });
});

Deno.test("a kernel without BPF", async () => {
  await using practice = await Practice.open();
  const finding = await practice.examine([], { wrap: await filtered(practice, NO_BPF) });
  const lacking = ["no", /ENOSYS/, /apt-get install linux-image-amd64/] as const;
  assertSays(finding, {
    ...{ "frozen-maps": [...lacking], "ring-buffer": [...lacking], "xdp-program": [...lacking] },
    "xdp-link": [...lacking],
  });
});

Deno.test("no libbpf: what would use it is unknown", async () => {
  await using practice = await Practice.open();
  const wrap = apart(
    "mount --bind /dev/null $(readlink -f $(ldconfig -p | sed -n 's/.*libbpf.so.1 .*=> //p'))",
  );
  const finding = await practice.examine([], { wrap });
  assertSays(finding, {
    libbpf: ["no", /./, /apt-get install libbpf1/],
    "xdp-program": ["unknown", /./, /libbpf1/],
  });
});

Deno.test("no /dev/net/tun, and mounts that nobody else would see", async () => {
  await using practice = await Practice.open();
  const wrap = apart("mount -t tmpfs none /dev/net && mount -t bpf bpf /sys/fs/bpf");
  const finding = await practice.examine([], { wrap });
  assertEquals(finding.code, 69);
  assertSays(finding, {
    tun: ["no", /./, /modprobe tun/],
    bpffs: ["no", /private/, /mount -t bpf bpf \/sys\/fs\/bpf/],
    "network-namespaces": ["no", /would be lost/, /mount namespace/],
  });
  assertOnly(finding, "tun", "xdp-link", "bpffs", "network-namespaces");
});

Deno.test("not root: unknown stays unknown, 2", async () => {
  await using practice = await Practice.open();
  for (const path of [practice.folder, practice.state]) await Deno.chown(path, 65534, 65534);
  const wrap = [
    ...["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"],
    ...["--securebits", "+no_setuid_fixup"],
    ...["--inh-caps", "-all,+dac_override", "--ambient-caps", "-all,+dac_override"],
  ];
  const finding = await practice.examine([], { wrap });
  assertEquals(finding.code, 2);
  const unknown = ["unknown", /./, /^sudo vei doctor$/] as const;
  assertSays(finding, { capabilities: [...unknown], jail: [...unknown], emulation: [...unknown] });
  const needed = finding.diagnosis.needs.filter((need) => need.needed && need.result === "no");
  assertEquals(needed.map(({ id, found }) => `${id}: ${found}`), []);
});

Deno.test("root without its capabilities: that is missing, 69", async () => {
  await using practice = await Practice.open();
  const wrap = ["setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-bpf,-sys_admin"];
  const finding = await practice.examine([], { wrap });
  assertEquals(finding.code, 69);
  assertSays(finding, { capabilities: ["no", /missing: CAP_SYS_ADMIN/, /root/] });
});

Deno.test("a full disk, and one that is read-only", async () => {
  await using practice = await Practice.open({ equipped: false });
  const { state } = practice;
  const small = `mount -t tmpfs -o size=256k none ${state}`;
  const full = await practice.examine([], {
    wrap: apart(`${small} && { head -c 300000 /dev/zero >${state}/filler 2>/dev/null || true; }`),
  });
  assertSays(full, {
    "state-folder": ["no", /No space left/, /--state DIR/],
    "disk-space": ["no", /^0 MB are free, 500 MB are wanted/, /free some space/],
  });
  const readOnly = await practice.examine([], { wrap: apart(`${small} -r`) });
  assertSays(readOnly, {
    "state-folder": ["no", /nothing can be made in .*Read-only/, /mount it writable/],
  });
});

Deno.test("nothing set up, an open key, and receipts of the future", async () => {
  await using practice = await Practice.open({ equipped: false });
  const { state } = practice;
  await Deno.writeTextFile(`${state}/node.key`, "x", { mode: 0o644 });
  await Deno.writeTextFile(`${state}/receipts.log`, "x\n");
  await Deno.writeTextFile(`${state}/format`, "99\n");
  const tomorrow = new Date(Date.now() + 3 * 86_400_000);
  await Deno.utime(`${state}/receipts.log`, tomorrow, tomorrow);
  const finding = await practice.examine();
  assertEquals(finding.code, 69);
  assertSays(finding, {
    image: ["no", /no guest image/, /vei setup/],
    model: ["no", /No model/, /vei setup/],
    "state-format": ["no", /has format 99/, /install that version/],
    key: ["no", /open to others/, /chmod 600/],
    clock: ["no", /receipts were written at/, /timedatectl/],
  });
  assertOnly(finding, "image", "model", "state-format", "key", "clock");
  await Deno.remove(`${state}/node.key`);
  assertSays(await practice.examine(), { key: ["no", /is gone/, /restore it/] });
});

Deno.test("a damaged image and a damaged model: seen by --deep, which says that it read them", async () => {
  await using practice = await Practice.open();
  const { state } = practice;
  const digest = await Deno.readLink(`${await testState()}/images/current`);
  const source = `${await testState()}/images/${digest}`;
  await Deno.remove(`${state}/images`);
  await Deno.mkdir(`${state}/images/${digest}`, { recursive: true });
  await Deno.symlink(digest, `${state}/images/current`);
  for (const { name } of [...Deno.readDirSync(source)]) {
    await Deno.symlink(`${source}/${name}`, `${state}/images/${digest}/${name}`);
  }
  const initrd = `${state}/images/${digest}/initrd`;
  const bytes = await Deno.readFile(initrd);
  bytes[bytes.length >> 1] ^= 1;
  await Deno.remove(initrd);
  await Deno.writeFile(initrd, bytes);
  const [{ name: model }] = [...Deno.readDirSync(`${state}/models`)]
    .filter(({ name }) => name.endsWith(".gguf"));
  const weights = await Deno.readFile(`${state}/models/${model}`);
  weights[weights.length - 1] ^= 1;
  await Deno.writeFile(`${state}/models/${model}`, weights);

  const quick = await practice.examine();
  const unread = ["yes", /not read: --deep reads them/, /^$/] as const;
  assertSays(quick, { image: [...unread], model: [...unread] });
  const deep = await practice.examine(["--deep"]);
  assertSays(deep, {
    image: ["no", /damaged/, /vei setup --check/],
    model: ["no", /damaged/, /vei setup --check/],
  });
  assertOnly(deep, "image", "model");
});

/** Wrapper: bubblewrap installs a filter of seccomp(2), and changes nothing else. */
async function filtered(practice: Practice, filter: Uint8Array): Promise<string[]> {
  const path = `${practice.folder}/filter`;
  await Deno.writeFile(path, filter);
  const script = 'exec bwrap --dev-bind / / --cap-add ALL --seccomp 9 "$@" 9<"$0"';
  return ["sh", "-c", script, path];
}

/** Classic BPF: load the call's number; 321 is bpf(2) on x86-64: ERRNO(ENOSYS), else ALLOW. */
const NO_BPF = new Uint8Array([
  ...[0x20, 0, 0, 0, 0, 0, 0, 0],
  ...[0x15, 0, 0, 1, 0x41, 0x01, 0, 0],
  ...[0x06, 0, 0, 0, 38, 0, 0x05, 0],
  ...[0x06, 0, 0, 0, 0, 0, 0xff, 0x7f],
]);

/** clone(2) is 56, unshare(2) 272: with CLONE_NEWUSER in the first argument ERRNO(EPERM). */
const NO_USER_NAMESPACES = new Uint8Array([
  ...[0x20, 0, 0, 0, 0, 0, 0, 0],
  ...[0x15, 0, 1, 0, 56, 0, 0, 0],
  ...[0x15, 0, 0, 3, 0x10, 0x01, 0, 0],
  ...[0x20, 0, 0, 0, 16, 0, 0, 0],
  ...[0x45, 0, 0, 1, 0, 0, 0, 0x10],
  ...[0x06, 0, 0, 0, 1, 0, 0x05, 0],
  ...[0x06, 0, 0, 0, 0, 0, 0xff, 0x7f],
]);

Deno.test("where systemd runs: the unit's state, and a unit that failed", async () => {
  await using practice = await Practice.open();
  const bin = `${practice.folder}/bin`;
  await Deno.mkdir(bin);
  const tell = async (state: string) => {
    const lines = ["LoadState=loaded", "NeedDaemonReload=no", "UnitFileState=enabled", state];
    const script = `#!/bin/sh\nprintf '%s\\n' ${lines.join(" ")}\n`;
    await Deno.writeTextFile(`${bin}/systemctl`, script, { mode: 0o755 });
  };
  const wrap = apart(
    "mount -t tmpfs none /run/systemd && mkdir /run/systemd/system && " +
      "mount -t tmpfs none /etc/systemd/system && touch /etc/systemd/system/vei.service",
  );
  const options = { wrap, env: { PATH: `${bin}:${Deno.env.get("PATH")}` } };
  await tell("ActiveState=active SubState=running Result=success");
  assertSays(await practice.examine([], options), {
    systemd: ["yes", /runs this machine/, /^$/],
    unit: ["yes", /vei\.service: active \(running\), enabled/, /^$/],
  });
  await tell("ActiveState=failed SubState=failed Result=exit-code");
  assertSays(await practice.examine([], options), {
    unit: ["no", /failed \(failed\), enabled, exit-code/, /journalctl -u vei\.service/],
  });
  await tell("NeedDaemonReload=yes");
  assertSays(await practice.examine([], options), {
    unit: ["no", /is not what systemd has loaded/, /systemctl daemon-reload/],
  });
});
