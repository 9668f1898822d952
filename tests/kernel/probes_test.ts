import { assert, assertEquals, assertMatch } from "@std/assert";
import { openLibraries } from "../../ffi/native.ts";
import { netnsId } from "../../ffi/netns.ts";
import { type ProbeResult, runProbes } from "../../ffi/probes.ts";
import { AS_NOBODY, jsonOf, runFixture } from "./net_support.ts";

openLibraries();

const NAMES = [
  ...["capabilities", "libbpf", "frozen-maps", "ring-buffer", "xdp-program", "tun", "xdp-link"],
  ...["bpffs", "network-namespaces"],
];

const answers = (results: ProbeResult[]) =>
  Object.fromEntries(results.map(({ name, result }) => [name, result]));

Deno.test("as root everything that is needed is there, and nothing stays behind", () => {
  const before = netnsId();
  const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const open = descriptors();
  const results = runProbes();
  assertEquals(results.map(({ name }) => name), NAMES);
  for (const { name, result, detail, hint } of results) {
    assertEquals([name, result, hint], [name, "yes", ""], detail);
    assert(detail.length > 0);
  }
  assertEquals(netnsId(), before);
  assertEquals(descriptors(), open);
});

Deno.test("without rights the kernel's features are unknown, not absent", async () => {
  const results = jsonOf<ProbeResult[]>(await runFixture("probes", [], { wrapper: AS_NOBODY }));
  const { bpffs: _, ...rest } = answers(results);
  assertEquals(rest, {
    capabilities: "no",
    libbpf: "yes",
    "frozen-maps": "unknown",
    "ring-buffer": "unknown",
    "xdp-program": "unknown",
    "network-namespaces": "unknown",
    tun: "unknown",
    "xdp-link": "unknown",
  });
  for (const { name, result, detail, hint } of results) {
    if (name === "bpffs" || result === "yes") continue;
    assertMatch(hint, /root/, name);
    assertMatch(detail, result === "no" ? /missing: CAP_/ : /EPERM|EACCES|not permitted/, name);
  }
});

Deno.test("without libbpf: no for the library, unknown for what would use it", async () => {
  const hide = "mount --bind /dev/null $(ldconfig -p | sed -n 's/.*libbpf.so.1 .*=> //p')";
  const wrapper = ["unshare", "--mount", "sh", "-c", `${hide} && exec "$@"`, "sh"];
  const results = jsonOf<ProbeResult[]>(await runFixture("probes", [], { wrapper }));
  const { libbpf, tun, ...rest } = answers(results);
  assertEquals([libbpf, tun], ["no", "yes"]);
  assertEquals([rest["frozen-maps"], rest["ring-buffer"], rest["xdp-link"]], [
    "unknown",
    "unknown",
    "unknown",
  ]);
  for (const name of ["libbpf", "xdp-link"]) {
    assertMatch(results.find((result) => result.name === name)!.hint, /libbpf1/);
  }
});

Deno.test("without /dev/net/tun: no, with the hint", async () => {
  const wrapper = ["unshare", "--mount", "sh", "-c"];
  const script = 'mount -t tmpfs none /dev/net && exec "$@"';
  const results = jsonOf<ProbeResult[]>(
    await runFixture("probes", [], { wrapper: [...wrapper, script, "sh"] }),
  );
  const tun = results.find(({ name }) => name === "tun")!;
  assertEquals(tun.result, "no");
  assertMatch(tun.hint, /modprobe tun/);
});

Deno.test("in a private mount namespace: no for what would die with it", async () => {
  const wrapper = ["unshare", "--mount", "sh", "-c"];
  const script = 'mount -t bpf bpf /sys/fs/bpf && exec "$@"';
  const results = jsonOf<ProbeResult[]>(
    await runFixture("probes", [], { wrapper: [...wrapper, script, "sh"] }),
  );
  const { bpffs, "network-namespaces": netns } = answers(results);
  assertEquals([bpffs, netns], ["no", "no"]);
});
