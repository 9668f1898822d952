import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { ensureBpffs, isBpffsMounted, requireHostWideBpffs } from "../../ffi/bpffs.ts";
import { openLibraries } from "../../ffi/native.ts";
import { parseMountinfo } from "../../ffi/mounts.ts";
import { VeiError } from "../../src/base/errors.ts";
import { Bench } from "./bpf_support.ts";
import { jsonOf, runFixture } from "./net_support.ts";

openLibraries();

Deno.test("ensureBpffs mounts once and can be called again", () => {
  ensureBpffs();
  const { dev } = Deno.statSync("/sys/fs/bpf");
  ensureBpffs();
  assertEquals(Deno.statSync("/sys/fs/bpf").dev, dev);
  assertEquals(isBpffsMounted(), true);
});

/** Runs raiseDiode in a mount namespace of its own that `prepare` has changed. */
async function raiseApart(bench: Bench, prepare: string): Promise<Record<string, unknown>> {
  const wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c"];
  const script = `${prepare} && exec "$@"`;
  const args = [bench.netns, String(bench.ifindex), bench.pins, "hateless", "once"];
  return jsonOf(
    await runFixture("raise_diode", args, { wrapper: [...wrapper, script, "sh"] }),
  );
}

Deno.test("a private bpffs is refused, and nothing is attached", async () => {
  using bench = new Bench();
  const ways = {
    "mounted over the host's": "mount -t bpf bpf /sys/fs/bpf",
    "instead of the host's": "umount /sys/fs/bpf && mount -t bpf bpf /sys/fs/bpf",
    "a fresh /sys, as `ip netns exec` makes it": "umount -l /sys && mount -t sysfs sysfs /sys",
  };
  for (const [way, prepare] of Object.entries(ways)) {
    const { code, exit, message } = await raiseApart(bench, prepare);
    assertEquals([way, code, exit], [way, "bpffs-private", 78]);
    assertMatch(String(message), /private to this mount namespace/);
    assertEquals(bench.programOnTap, null);
  }
});

Deno.test("the host's bpffs seen from another mount namespace is the host's", async () => {
  using bench = new Bench();
  const { how } = await raiseApart(bench, "true");
  assertEquals(how, "attached");
  // The pin outlives that namespace and its process.
  assertEquals(typeof bench.programOnTap, "number");
});

Deno.test("what cannot be told is refused", () => {
  const host = parseMountinfo("30 20 0:31 / /sys/fs/bpf rw shared:9 - bpf bpf rw\n");
  requireHostWideBpffs(() => host);
  const others = {
    "not mounted there": parseMountinfo("20 1 0:20 / /sys rw - sysfs sysfs rw\n"),
    "another instance": parseMountinfo("31 20 0:77 / /sys/fs/bpf rw - bpf bpf rw\n"),
  };
  for (const mounts of Object.values(others)) {
    const check = () => requireHostWideBpffs((pid) => pid === 1 ? mounts : host);
    assertEquals(assertThrows(check, VeiError).code, "bpffs-private");
  }
  const error = assertThrows(() =>
    requireHostWideBpffs(() => {
      throw new Deno.errors.PermissionDenied("no");
    }), VeiError);
  assertMatch(error.message, /cannot be read: no/);
});
