import { assert, assertEquals, assertThrows } from "@std/assert";
import * as netdev from "../../ffi/netdev.ts";
import { unshareNetns } from "../../ffi/netns.ts";
import { openLibraries, SystemError } from "../../ffi/native.ts";
import { addressesOf, LinkEvents, linkState, neighboursOf } from "../../ffi/rtnetlink.ts";
import { Tap } from "../../ffi/tap.ts";
import { Exit, VeiError } from "../../src/base/errors.ts";
import { run } from "../../src/host/run.ts";
import { addInterface, AS_NOBODY, ipFrame, jsonOf, randomName, runFixture } from "./net_support.ts";

openLibraries();

const HOST = { ip: "172.30.0.1", mac: "02:00:00:00:00:01" };
const GUEST = { ip: "172.30.0.11", mac: "52:54:00:12:34:56" };

Deno.test("a persistent tap outlives its descriptor, another does not; one holder at a time", () => {
  using _box = unshareNetns();
  const name = randomName();
  {
    using tap = Tap.open(name, { persist: true });
    assertEquals(tap.settings().name, name);
    assertEquals([tap.settings().tap, tap.settings().persist, tap.settings().vnetHdr], [
      true,
      true,
      false,
    ]);
    const error = assertThrows(() => Tap.open(name, { persist: true }), VeiError);
    assertEquals([error.code, error.exit], ["tap-busy", Exit.tryAgain]);
    assertEquals(linkState(name)!.carrier, true);
  }
  assertEquals(linkState(name)!.carrier, false);
  assertEquals(linkState(name)!.tun, {
    tap: true,
    packetInfo: false,
    vnetHdr: false,
    persist: true,
    multiQueue: false,
    owner: null,
    group: null,
  });
  {
    using _tap = Tap.open(name, { persist: false });
  }
  assertEquals(linkState(name), null);
  using held = Tap.open(name, { persist: true });
  netdev.deleteInterface(name);
  assertEquals(assertThrows(() => held.settings(), SystemError).errno, "EBADFD");
});

Deno.test("names that belong to something else, or are none", () => {
  using _box = unshareNetns();
  const name = randomName();
  addInterface(name, "bridge");
  for (const taken of ["lo", name]) {
    const error = assertThrows(() => Tap.open(taken, { persist: true }), VeiError);
    assertEquals([error.code, error.exit], ["tap-foreign", Exit.tryAgain]);
  }
  assertEquals(linkState(name)!.kind, "bridge");
  assertThrows(() => Tap.open("", { persist: true }), RangeError);
  assertThrows(() => Tap.open("sixteen-letters!", { persist: true }), RangeError);
  assertEquals(netdev.interfaceIndex(randomName()), 0);
  const error = assertThrows(() => netdev.setUp(randomName(), true), VeiError);
  assertEquals(error.code, "interface-missing");
});

Deno.test("address, neighbour, MAC and IPv6 are set, read back, and what `down` takes is known", () => {
  using _box = unshareNetns();
  const name = randomName();
  using tap = Tap.open(name, { persist: false });
  netdev.setMac(name, HOST.mac);
  netdev.disableIpv6(name);
  netdev.addPeer(name, HOST.ip, GUEST.ip);
  netdev.addNeighbour(name, GUEST.ip, GUEST.mac);
  const index = netdev.interfaceIndex(name);
  assertEquals(netdev.macOf(name), HOST.mac);
  assertEquals(netdev.ipv6Disabled(name), true);
  assertEquals(addressesOf(index), [{ local: HOST.ip, peer: GUEST.ip, prefix: 32 }]);
  assertEquals(neighboursOf(index), [{ ip: GUEST.ip, mac: GUEST.mac, permanent: true }]);
  assertEquals(netdev.isUp(name), false);
  assertEquals(assertThrows(() => tap.write(new Uint8Array(60)), SystemError).errno, "EIO");

  netdev.setUp(name, true);
  assertEquals(netdev.isUp(name), true);
  assertEquals(neighboursOf(index).length, 1);
  assertEquals(
    tap.read(),
    null,
    "something was sent unasked (IPv6 is off, the neighbour is known)",
  );

  // The kernel drops even permanent neighbours with the interface: they have to be set anew.
  netdev.setUp(name, false);
  assertEquals(neighboursOf(index), []);
  assertEquals(addressesOf(index).length, 1);
  const again = assertThrows(() => netdev.addPeer(name, HOST.ip, GUEST.ip), SystemError);
  assertEquals(again.errno, "EEXIST");
  netdev.removeAddress(name, addressesOf(index)[0]!);
  assertEquals(addressesOf(index), []);
});

Deno.test("frames go both ways: the host answers an ICMP echo that is written to the tap", async () => {
  using _box = unshareNetns();
  const name = randomName();
  using tap = Tap.open(name, { persist: false });
  netdev.setMac(name, HOST.mac);
  netdev.disableIpv6(name);
  netdev.addPeer(name, HOST.ip, GUEST.ip);
  netdev.addNeighbour(name, GUEST.ip, GUEST.mac);
  netdev.setUp(name, true);
  const at = { toMac: HOST.mac, fromMac: GUEST.mac, from: GUEST.ip, to: HOST.ip };
  const echo = new Uint8Array([8, 0, 0xf7, 0xfe, 0, 0, 0, 1]); // checksum of type 8, sequence 1
  tap.write(ipFrame(at, 1, echo));
  let reply: Uint8Array | null = null;
  for (let i = 0; i < 100 && reply === null; i++) {
    reply = tap.read();
    if (reply === null) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert(reply !== null, "no answer");
  assertEquals([reply![23], reply![34]], [1, 0], "not an echo reply");
});

Deno.test("only an inheritable tap reaches a child", async () => {
  using _box = unshareNetns();
  using tap = Tap.open(randomName(), { persist: false });
  const seen = async () =>
    new TextDecoder().decode((await run("readlink", [`/proc/self/fd/${tap.fd}`])).stdout).trim();
  assert(await seen() !== "/dev/net/tun");
  tap.inheritable(true);
  assertEquals(await seen(), "/dev/net/tun");
  tap.inheritable(false);
  assert(await seen() !== "/dev/net/tun");
});

Deno.test("LinkEvents hears a change, is quiet otherwise, and ends when disposed of", async () => {
  using _box = unshareNetns();
  const name = randomName();
  using _tap = Tap.open(name, { persist: false });
  {
    using events = new LinkEvents();
    const started = performance.now();
    assertEquals(await events.wait(50), false);
    assert(performance.now() - started >= 45);
    const waiting = events.wait(5000);
    netdev.setUp(name, true);
    assertEquals(await waiting, true);
    assertEquals(await events.wait(50), false, "old messages were kept");
  }
  const events = new LinkEvents();
  const waiting = events.wait(100);
  events[Symbol.dispose]();
  assertEquals(await waiting, false);
  assertEquals(await events.wait(1000), false);
});

Deno.test("not root, and no /dev/net/tun: each says so", async () => {
  using _box = unshareNetns();
  const name = randomName();
  const denied = jsonOf<VeiError>(
    await runFixture("attempt", ["openTap", name], { wrapper: AS_NOBODY }),
  );
  assertEquals([denied.code, denied.exit], ["tun-not-permitted", Exit.noPermission]);
  assert(denied.hint.includes("root"));
  const wrapper = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs none /dev/net && exec "$@"',
    "sh",
  ];
  const missing = jsonOf<VeiError>(await runFixture("attempt", ["openTap", name], { wrapper }));
  assertEquals([missing.code, missing.exit], ["tun-missing", Exit.unavailable]);
  assert(missing.hint.includes("modprobe tun"));
});
