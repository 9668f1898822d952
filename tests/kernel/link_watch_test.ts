import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { checkLink, type Link, prepareLink } from "../../enclave/link.ts";
import { openLibraries } from "../../ffi/native.ts";
import * as netdev from "../../ffi/netdev.ts";
import { netlinkRequest, withAttributes } from "../../ffi/netlink.ts";
import { unshareNetns, withNetns } from "../../ffi/netns.ts";
import { Tap } from "../../ffi/tap.ts";
import { Exit, VeiError } from "../../src/base/errors.ts";
import type { Instance } from "../../src/host/instance.ts";
import { mustRun } from "../../src/host/run.ts";
import { addInterface, addSubnet, testInstance } from "./net_support.ts";

openLibraries();

const ADDRESSES = { host: "172.30.0.1", guest: "172.30.0.11" };
const IFLA_CARRIER = 33;

interface Change {
  what: string;
  /** What the error has to say. */
  words: string;
  /** Made inside the link namespace. */
  inside?: (tap: string, link: Link) => unknown;
  /** Then, with ip(8), for what our own code cannot make: its arguments. */
  ip?: (tap: string) => string[];
  finally?: (tap: string) => void;
}

function setCarrier(tap: string, on: boolean): void {
  const header = new Uint8Array(16);
  new DataView(header.buffer).setInt32(4, netdev.interfaceIndex(tap), true);
  const body = withAttributes(header, [[IFLA_CARRIER, new Uint8Array([on ? 1 : 0])]]);
  netlinkRequest(16, 0, body, "Cannot set the carrier");
}

function giveUp(tap: string, link: Link): void {
  netdev.deleteInterface(tap);
  link[Symbol.dispose]();
}

const madeBy65534 = (tap: string) => ["tuntap", "add", "dev", tap, "mode", "tap", "user", "65534"];

const CHANGES: Change[] = [
  { what: "down", words: "state is down", inside: (tap) => netdev.setUp(tap, false) },
  { what: "no carrier", words: "carrier is false", inside: (tap) => setCarrier(tap, false) },
  {
    what: "hardware address",
    words: "hardware address is 02:00:00:00:00:66",
    inside: (tap) => netdev.setMac(tap, "02:00:00:00:00:66"),
  },
  { what: "MTU", words: "MTU is 9000", inside: (tap) => netdev.setMtu(tap, 9000) },
  {
    what: "one address more",
    words: "and 192.0.2.1",
    inside: (tap) => addSubnet(netdev.interfaceIndex(tap), "192.0.2.1", 24),
  },
  {
    what: "neighbour",
    words: "neighbour 172.30.0.11 is 02:00:00:00:00:77",
    inside: (tap) => netdev.addNeighbour(tap, ADDRESSES.guest, "02:00:00:00:00:77"),
  },
  {
    what: "forwarding",
    words: "ip_forward is 1",
    inside: () => netdev.writeNetSysctl("ipv4/ip_forward", "1"),
  },
  {
    what: "IPv6",
    words: "is on, not off",
    inside: (tap) => netdev.writeNetSysctl(`ipv6/conf/${tap}/disable_ipv6`, "0"),
  },
  {
    what: "lost persistence",
    words: "persistence is false",
    inside: (tap, link) => {
      link[Symbol.dispose]();
      return Tap.open(tap, { persist: false });
    },
  },
  {
    what: "another interface",
    words: "other interfaces is other0",
    inside: () => {
      addInterface("other0", "bridge");
      netdev.setUp("other0", true);
    },
  },
  { what: "deleted", words: "is missing", inside: (tap) => netdev.deleteInterface(tap) },
  {
    what: "made anew with a virtio header",
    words: "virtio header is true",
    inside: giveUp,
    ip: (tap) => ["tuntap", "add", "dev", tap, "mode", "tap", "vnet_hdr"],
  },
  { what: "an owner", words: "owner is 65534", inside: giveUp, ip: madeBy65534 },
  {
    what: "made anew",
    words: "interface number",
    inside: giveUp,
    ip: (tap) => ["link", "add", "name", `${tap}x`, "type", "bridge"],
    finally: (tap) => Tap.open(tap, { persist: true })[Symbol.dispose](),
  },
];

async function make(change: Change, instance: Instance, link: Link): Promise<unknown> {
  const made = withNetns(instance.netns, () => change.inside?.(instance.tap, link));
  if (change.ip) {
    await mustRun("nsenter", [`--net=${instance.netns}`, "ip", ...change.ip(instance.tap)]);
  }
  withNetns(instance.netns, () => change.finally?.(instance.tap));
  return made;
}

Deno.test("the watch finds each change that root or the tap's holder can make", async (t) => {
  using _box = unshareNetns();
  for (const change of CHANGES) {
    await t.step(change.what, async () => {
      using test = testInstance();
      const { instance } = test;
      using link = prepareLink(instance, ADDRESSES);
      const check = () => withNetns(instance.netns, () => checkLink(instance, ADDRESSES, link));
      withNetns(instance.netns, () => netdev.setUp(instance.tap, true));
      check();
      const made = await make(change, instance, link);
      try {
        const error = assertThrows(check, VeiError);
        assertEquals([error.code, error.exit], ["link-lost", Exit.failed]);
        assertStringIncludes(error.message, change.words);
      } finally {
        if (made instanceof Tap) made[Symbol.dispose]();
      }
    });
  }
});

Deno.test("asked from outside the namespace, the watch says that the link is lost", () => {
  using _box = unshareNetns();
  using test = testInstance();
  using link = prepareLink(test.instance, ADDRESSES);
  const error = assertThrows(() => checkLink(test.instance, ADDRESSES, link), VeiError);
  assertStringIncludes(error.message, "is missing");
});
