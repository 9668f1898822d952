import { assert, assertEquals, assertThrows } from "@std/assert";
import { VeiError } from "../src/base/errors.ts";
import { qemuArguments, type QemuSpec } from "./qemu_args.ts";

const SPEC: QemuSpec = {
  program: "/usr/bin/qemu-system-x86_64",
  accel: "tcg",
  threads: 2,
  memoryMiB: 256,
  context: 512,
  host: "172.30.0.1",
  guest: "172.30.0.11",
  fds: { qmp: 10, tap: 11, root: 12, model: 13 },
};

Deno.test("the virtual machine is exactly this list of arguments", () => {
  assertEquals(qemuArguments(SPEC), [
    "/usr/bin/qemu-system-x86_64",
    "-nodefaults",
    "-no-user-config",
    ...["-display", "none"],
    "-no-reboot",
    ...["-serial", "none"],
    ...["-M", "q35"],
    ...["-accel", "tcg,thread=multi,tb-size=256"],
    ...["-cpu", "max,-cx16"],
    ...["-smp", "2"],
    ...["-m", "256"],
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ...["-chardev", "socket,id=q,fd=10,server=on,wait=off"],
    ...["-mon", "chardev=q,mode=control"],
    ...["-kernel", "/vm/kernel"],
    ...["-initrd", "/vm/initrd"],
    "-append",
    "quiet loglevel=0 panic=-1 tsc=reliable no_timer_check mitigations=off vei.ip=172.30.0.11 " +
    "vei.peer=172.30.0.1 vei.peermac=02:00:00:00:00:01 vei.threads=2 vei.context=512 vei.port=8080",
    ...["-add-fd", "fd=12,set=1"],
    "-blockdev",
    "driver=raw,node-name=root,read-only=on,file.driver=file,file.read-only=on," +
    "file.filename=/dev/fdset/1",
    ...["-device", "virtio-blk-pci,drive=root"],
    ...["-add-fd", "fd=13,set=2"],
    "-blockdev",
    "driver=raw,node-name=model,read-only=on,file.driver=file,file.read-only=on," +
    "file.filename=/dev/fdset/2",
    ...["-device", "virtio-blk-pci,drive=model"],
    ...["-netdev", "tap,id=n0,fd=11,vhost=off"],
    ...["-device", "virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56,romfile="],
  ]);
});

Deno.test("KVM changes accelerator and processor only", () => {
  const tcg = qemuArguments(SPEC);
  const kvm = qemuArguments({ ...SPEC, accel: "kvm" });
  assertEquals(kvm.length, tcg.length);
  assertEquals(kvm.filter((word, i) => word !== tcg[i]), ["kvm", "host"]);
});

Deno.test("a machine that is no machine is refused", () => {
  for (
    const wrong of [
      { fds: { ...SPEC.fds, tap: 2 } },
      { fds: { ...SPEC.fds, tap: -1 } },
      { fds: { ...SPEC.fds, tap: SPEC.fds.qmp } },
      { threads: 0 },
      { memoryMiB: 1.5 },
      { context: NaN },
      { guest: "172.30.0.11 init=/bin/sh" },
    ]
  ) {
    const error = assertThrows(() => qemuArguments({ ...SPEC, ...wrong }), VeiError);
    assertEquals(error.code, "qemu-spec");
  }
});

Deno.test("no argument opens a second wire", () => {
  const all = qemuArguments(SPEC).join(" ");
  for (const word of ["stdio", "vnc", "spice", "telnet", "tcp", "file:", "user,", "hostfwd"]) {
    assert(!all.includes(word), word);
  }
});
