import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  assertLocalAddress,
  checkLink,
  GUEST_MAC,
  HOST_MAC,
  prepareLink,
  removeLink,
} from "../../enclave/link.ts";
import { openLibraries } from "../../ffi/native.ts";
import * as netdev from "../../ffi/netdev.ts";
import { createNetns, netnsExists, unshareNetns, withNetns } from "../../ffi/netns.ts";
import { addressesOf, allLinks, linkState, neighboursOf } from "../../ffi/rtnetlink.ts";
import { Tap } from "../../ffi/tap.ts";
import { Exit, VeiError } from "../../src/base/errors.ts";
import type { Instance } from "../../src/host/instance.ts";
import { mustRun, start } from "../../src/host/run.ts";
import {
  addInterface,
  addSubnet,
  AS_NOBODY,
  jsonOf,
  randomName,
  runFixture,
  testInstance,
} from "./net_support.ts";

openLibraries();

const ADDRESSES = { host: "172.30.0.1", guest: "172.30.0.11" };

/** Everything that can be seen of a namespace. */
function portrait(instance: Instance) {
  return withNetns(instance.netns, () =>
    allLinks().map((link) => ({
      ...link,
      addresses: addressesOf(link.index),
      neighbours: neighboursOf(link.index),
    })));
}

function prepareError(instance: Instance): VeiError {
  return assertThrows(() => prepareLink(instance, ADDRESSES), VeiError);
}

Deno.test("the link is made with everything set and down, and removed without a trace", () => {
  using _box = unshareNetns();
  using test = testInstance();
  const { instance } = test;
  using link = prepareLink(instance, ADDRESSES);
  assertEquals([link.made, link.mended], [true, []]);
  assertEquals(link.tap.settings().persist, true);
  const tap = portrait(instance).find(({ name }) => name === instance.tap)!;
  assertEquals([tap.index, tap.up, tap.mac, tap.mtu], [link.ifindex, false, HOST_MAC, 1500]);
  assertEquals(tap.addresses, [{ local: "172.30.0.1", peer: "172.30.0.11", prefix: 32 }]);
  assertEquals(tap.neighbours, [{ ip: "172.30.0.11", mac: GUEST_MAC, permanent: true }]);
  withNetns(instance.netns, () => {
    for (const name of ["all", "default", instance.tap]) assert(netdev.ipv6Disabled(name));
    assertEquals(netdev.readNetSysctl("ipv4/ip_forward"), "0");
    assertEquals(netdev.isUp("lo"), false);
    netdev.setUp(instance.tap, true);
    checkLink(instance, ADDRESSES, link);
  });
  assertEquals(linkState(instance.tap), null, "the tap is in the box's namespace");
  assertEquals(removeLink(instance), true);
  assertEquals(removeLink(instance), false);
  assertEquals(netnsExists(instance.netns), false);
});

Deno.test("settings that came from the box or were changed are set right, and told", () => {
  using _box = unshareNetns();
  using test = testInstance();
  const { instance } = test;
  const name = instance.tap;
  let first: number;
  {
    using link = prepareLink(instance, ADDRESSES);
    first = link.ifindex;
  }
  {
    using link = prepareLink(instance, ADDRESSES);
    assertEquals([link.ifindex, link.made, link.mended], [first, false, []]);
  }
  withNetns(instance.netns, () => {
    netdev.setUp(name, true);
    netdev.setMtu(name, 9000);
    netdev.setMac(name, "02:00:00:00:00:66"); // drops the neighbour too
    addSubnet(first, "192.0.2.1", 24);
    netdev.writeNetSysctl("ipv4/ip_forward", "1");
    netdev.writeNetSysctl(`ipv6/conf/${name}/disable_ipv6`, "0");
  });
  using link = prepareLink(instance, ADDRESSES);
  assertEquals(link.ifindex, first);
  const told = link.mended.join("; ");
  for (
    const part of ["02:00:00:00:00:66", "9000", "192.0.2.1", "ip_forward", "IPv6", "neighbour"]
  ) assertStringIncludes(told, part);
  const tap = portrait(instance).find((link) => link.name === name)!;
  assertEquals([tap.up, tap.mac, tap.mtu], [false, HOST_MAC, 1500]);
  assertEquals(tap.addresses.map(({ local }) => local), ["172.30.0.1"]);
  assertEquals(tap.neighbours, [{ ip: "172.30.0.11", mac: GUEST_MAC, permanent: true }]);
  using moved = testInstance();
  prepareLink(moved.instance, ADDRESSES)[Symbol.dispose]();
  const other = { host: "172.31.5.1", guest: "172.31.5.2" };
  using readdressed = prepareLink(moved.instance, other);
  assertEquals(readdressed.mended.length, 2, readdressed.mended.join("; "));
});

Deno.test("what is there and not ours is refused with a hint, and left as it was", async (t) => {
  using _box = unshareNetns();
  const cases: [what: string, code: string, make: (instance: Instance) => unknown][] = [
    ["a bridge of the tap's name", "tap-foreign", ({ tap }) => addInterface(tap, "bridge")],
    ["a tap that is not persistent", "tap-foreign", ({ tap }) => Tap.open(tap, { persist: false })],
    ["another interface that is up", "netns-foreign", () => {
      addInterface("other0", "bridge");
      netdev.setUp("other0", true);
    }],
  ];
  for (const [what, code, make] of cases) {
    await t.step(what, () => {
      using test = testInstance();
      createNetns(test.instance.netns);
      const made = withNetns(test.instance.netns, () => make(test.instance));
      const before = portrait(test.instance);
      const error = prepareError(test.instance);
      assertEquals([error.code, error.exit], [code, Exit.tryAgain]);
      assertStringIncludes(error.hint, "--instance");
      assertEquals(portrait(test.instance), before);
      if (!(made instanceof Tap)) {
        assertEquals(assertThrows(() => removeLink(test.instance), VeiError).code, code);
        assertEquals(portrait(test.instance), before);
      }
      if (made instanceof Tap) made[Symbol.dispose]();
    });
  }
  await t.step("a tap of some user", async () => {
    using test = testInstance();
    const { netns, tap } = test.instance;
    createNetns(netns);
    const make = ["tuntap", "add", "dev", tap, "mode", "tap", "user", "65534"];
    await mustRun("nsenter", [`--net=${netns}`, "ip", ...make]);
    const before = portrait(test.instance);
    assertEquals(prepareError(test.instance).code, "tap-foreign");
    assertEquals(portrait(test.instance), before);
  });
});

Deno.test("a tap that an orphan holds is busy until that has ended; nothing is changed meanwhile", async () => {
  using _box = unshareNetns();
  using test = testInstance();
  const { instance } = test;
  const first = prepareLink(instance, ADDRESSES);
  withNetns(instance.netns, () => netdev.setUp(instance.tap, true));
  first.tap.inheritable(true);
  const orphan = start("sleep", ["60"]);
  first[Symbol.dispose]();
  const before = portrait(instance);
  const error = prepareError(instance);
  assertEquals([error.code, error.exit], ["tap-busy", Exit.tryAgain]);
  assertEquals(portrait(instance), before);
  orphan.kill("SIGKILL");
  await orphan.status;
  using second = prepareLink(instance, ADDRESSES);
  assertEquals([second.ifindex, second.made], [first.ifindex, false]);
  // Also while it is held, all can be taken away: the holder's wire is then dead.
  assertEquals(removeLink(instance), true);
  assertThrows(() => second.tap.settings(), VeiError, "EBADFD");
});

Deno.test("kill -9 of the maker: namespace, tap and settings stay and are adopted", async () => {
  using _box = unshareNetns();
  using test = testInstance();
  const { instance } = test;
  const result = await runFixture("attempt", ["prepareAndDie", instance.name]);
  assertEquals(result.signal, "SIGKILL");
  const { ifindex } = jsonOf<{ ifindex: number }>(result);
  const tap = portrait(instance).find(({ name }) => name === instance.tap)!;
  assertEquals([tap.index, tap.carrier, tap.tun!.persist], [ifindex, false, true]);
  assertEquals([tap.addresses.length, tap.neighbours.length], [1, 1]);
  using link = prepareLink(instance, ADDRESSES);
  assertEquals([link.ifindex, link.made, link.mended], [ifindex, false, []]);
});

Deno.test("no root, a private mount namespace: an error with a hint, and nothing is left", async () => {
  using _box = unshareNetns();
  const cases: [wrapper: string[], exit: number, hint: string][] = [
    [AS_NOBODY, Exit.noPermission, "root"],
    [["unshare", "--mount", "--propagation", "private"], Exit.config, "mount namespace"],
  ];
  for (const [wrapper, exit, hint] of cases) {
    const name = randomName();
    const error = jsonOf<VeiError>(await runFixture("attempt", ["prepareLink", name], { wrapper }));
    assertEquals(error.exit, exit, JSON.stringify(error));
    assertStringIncludes(error.hint, hint);
    assertThrows(() => Deno.lstatSync(`/run/netns/${name}0`), Deno.errors.NotFound);
  }
});

Deno.test("no /dev/net/tun: an error with a hint, and the namespace stays as it was", async () => {
  using _box = unshareNetns();
  using test = testInstance();
  createNetns(test.instance.netns);
  const before = portrait(test.instance);
  const wrapper = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs none /dev/net && exec "$@"',
    "sh",
  ];
  const result = await runFixture("attempt", ["prepareLink", test.instance.name], { wrapper });
  const error = jsonOf<VeiError>(result);
  assertEquals([error.code, error.exit], ["tun-missing", Exit.unavailable]);
  assertStringIncludes(error.hint, "modprobe tun");
  assertEquals(portrait(test.instance), before);
});

Deno.test("assertLocalAddress closes a connection that came another way", async () => {
  using _box = unshareNetns();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using accepted = await listener.accept();
  assertLocalAddress(conn, "127.0.0.1");
  const error = assertThrows(() => assertLocalAddress(conn, ADDRESSES.host), VeiError);
  assertEquals([error.code, error.exit], ["link-wrong-address", Exit.internal]);
  assertEquals(await accepted.read(new Uint8Array(1)), null, "a byte was sent");
});
