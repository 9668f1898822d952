import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { hostWide, mountsOf, parseMountinfo } from "../../ffi/mounts.ts";
import { openLibraries } from "../../ffi/native.ts";
import { isUp, setUp } from "../../ffi/netdev.ts";
import * as netns from "../../ffi/netns.ts";
import { allLinks } from "../../ffi/rtnetlink.ts";
import { Exit, VeiError } from "../../src/base/errors.ts";
import { run } from "../../src/host/run.ts";
import { AS_NOBODY, jsonOf, randomName, runFixture } from "./net_support.ts";

openLibraries();

function testPath() {
  const path = `/run/netns/${randomName()}0`;
  return { path, [Symbol.dispose]: () => void netns.removeNetns(path) };
}

Deno.test("a namespace is made empty, found by its path and removed", () => {
  using named = testPath();
  const before = netns.netnsId();
  netns.createNetns(named.path);
  assertEquals(netns.netnsId(), before, "the caller moved");
  assertNotEquals(netns.netnsId(named.path), before);
  netns.withNetns(named.path, () => {
    assertEquals(netns.netnsId(), netns.netnsId(named.path));
    assert(allLinks().every((link) => !link.up), "something is up in a fresh namespace");
  });
  assertEquals(netns.netnsId(), before);
  const error = assertThrows(() => netns.createNetns(named.path), VeiError);
  assertEquals([error.code, error.exit], ["netns-exists", Exit.tryAgain]);
  assertEquals(netns.removeNetns(named.path), true);
  assertEquals(netns.removeNetns(named.path), false);
  assert(!mountsOf("self").some((mount) => mount.target === named.path));
  assertEquals(assertThrows(() => netns.enterNetns(named.path), VeiError).code, "netns-missing");
});

Deno.test("the file that a crash left is used; the folder is shared as iproute2 has it", () => {
  using first = testPath();
  using second = testPath();
  netns.createNetns(first.path);
  Deno.writeTextFileSync(second.path, "");
  assertEquals(netns.netnsExists(second.path), false);
  netns.createNetns(second.path);
  assertEquals(netns.netnsExists(second.path), true);
  const folder = mountsOf("self").filter((mount) => mount.target === "/run/netns");
  assertEquals(folder.length, 1);
  assertNotEquals(folder[0]!.sharedGroup, null);
});

Deno.test("withNetns comes back after a throw", () => {
  using named = testPath();
  netns.createNetns(named.path);
  const before = netns.netnsId();
  assertThrows(
    () => netns.withNetns(named.path, () => assert(false, "as meant")),
    Error,
    "as meant",
  );
  assertEquals(netns.netnsId(), before);
});

Deno.test("withNetns: a connect that is begun inside is made inside, 100 of 100", async () => {
  using named = testPath();
  netns.createNetns(named.path);
  using _box = netns.unshareNetns();
  using listener = netns.withNetns(named.path, () => {
    setUp("lo", true);
    return Deno.listen({ hostname: "127.0.0.1", port: 0 });
  });
  const { port } = listener.addr;
  await assertRejects(
    () => Deno.connect({ hostname: "127.0.0.1", port }),
    Deno.errors.ConnectionRefused,
  );
  for (let i = 0; i < 100; i++) {
    const dialled = netns.withNetns(
      named.path,
      () => Deno.connect({ hostname: "127.0.0.1", port }),
    );
    using _accepted = await listener.accept();
    (await dialled).close();
  }
});

Deno.test("unshareNetns gives lo and nothing else, and goes back", async () => {
  const before = netns.netnsId();
  {
    using _box = netns.unshareNetns();
    assertNotEquals(netns.netnsId(), before);
    assert(isUp("lo"));
    assertEquals(allLinks().filter((link) => link.up).map((link) => link.name), ["lo"]);
    const child = await run("readlink", ["/proc/self/ns/net"]);
    assertEquals(
      new TextDecoder().decode(child.stdout).trim(),
      Deno.readLinkSync("/proc/thread-self/ns/net"),
      "a child is not in the namespace of the thread that started it",
    );
  }
  assertEquals(netns.netnsId(), before);
});

Deno.test("after the move: dials, fetches and children inside, the earlier listener outside", async () => {
  using first = testPath();
  using second = testPath();
  netns.createNetns(first.path);
  netns.createNetns(second.path);
  const result = await runFixture("main_thread", [first.path, second.path]);
  const seen = jsonOf<Record<string, unknown>>(result);
  assertEquals(seen.before, { fetch: "first", dial: "first" });
  assertEquals(seen.alone, { fetch: "refused", dial: "refused" }, "reached the first namespace");
  assertEquals(seen.after, { fetch: "second", dial: "second" });
  assertEquals([seen.fromFirst, seen.fromSecond], ["first", "second"]);
  assertEquals(seen.childNamespace, seen.ownNamespace);
  assertEquals(
    seen.processNamespace,
    seen.ownNamespace,
    "the main thread is not the one that moved",
  );
  assertEquals(seen.inSecond, true);
});

Deno.test("another user is told what it takes, and nothing is left", async () => {
  const name = randomName();
  for (const what of ["createNetns", "unshareNetns"]) {
    const error = jsonOf<VeiError>(
      await runFixture("attempt", [what, name], { wrapper: AS_NOBODY }),
    );
    assertEquals(error.exit, Exit.noPermission, JSON.stringify(error));
    assert(error.hint.includes("root"), error.hint);
  }
  assertThrows(() => Deno.statSync(`/run/netns/${name}0`), Deno.errors.NotFound);
});

Deno.test("a private mount namespace is refused: the binding would be lost", async () => {
  const name = randomName();
  const wrapper = ["unshare", "--mount", "--propagation", "private"];
  const error = jsonOf<VeiError>(await runFixture("attempt", ["createNetns", name], { wrapper }));
  assertEquals([error.code, error.exit], ["mount-private", Exit.config]);
});

Deno.test("mount ids tell the mount namespace", () => {
  const host = parseMountinfo(
    "20 1 8:1 / / rw shared:1 - ext4 /dev/sda rw\n30 20 0:5 / /run\\040x rw - tmpfs none rw\n",
  );
  const { target, ...rest } = host[1]!;
  assertEquals([target, rest.id, rest.parent, rest.type], ["/run x", 30, 20, "tmpfs"]);
  assertEquals([host[0]!.sharedGroup, rest.sharedGroup], [1, null]);
  const answer = (ours: string, first = host) =>
    hostWide("/run/netns", (pid) => pid === 1 ? first : parseMountinfo(ours)).answer;
  assertEquals(answer("20 1 8:1 / / rw shared:1 - ext4 /dev/sda rw\n"), "yes");
  assertEquals(answer("90 80 8:1 / / rw shared:1 - ext4 /dev/sda rw\n"), "yes");
  assertEquals(answer("90 80 8:1 / / rw master:1 - ext4 /dev/sda rw\n"), "no");
  assertEquals(answer("90 80 8:1 / / rw - ext4 /dev/sda rw\n"), "no");
  assertEquals(answer(""), "unknown");
  const unreadable = hostWide("/run/netns", () => {
    throw new Error("EACCES");
  });
  assertEquals(unreadable.answer, "unknown");
});
