/**
 * Nobody in the box reaches the guest and the guest reaches nobody in the box, whatever the box's
 * routing. The box is a namespace of the test; the guest is the test itself, at the tap's
 * descriptor, without any diode: what is shown here is the link namespace alone. Each attack is
 * also made on a tap in the box's own namespace, where it succeeds: so the test would see it.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { assertLocalAddress, GUEST_MAC, HOST_MAC, prepareLink } from "../../enclave/link.ts";
import { openLibraries } from "../../ffi/native.ts";
import * as netdev from "../../ffi/netdev.ts";
import { unshareNetns, withNetns } from "../../ffi/netns.ts";
import { Tap } from "../../ffi/tap.ts";
import type { Instance } from "../../src/host/instance.ts";
import { mustRun } from "../../src/host/run.ts";
import * as guest from "./guest_support.ts";
import { createSocket } from "node:dgram";
import { addSubnet, ipFrame, tcpFrame, testInstance, udpFrame } from "./net_support.ts";

openLibraries();

const ADDRESSES = { host: guest.HOST, guest: guest.GUEST };
const UPLINK = { ip: "10.77.0.1", mac: "02:00:00:00:77:01", peer: "10.77.0.2" };
const LAN = { ip: "172.30.0.5", mac: "02:00:00:00:55:01" };
const PEER_MAC = "02:00:00:00:99:99";

/** The link of an instance, up, with ourselves as the guest. */
function raise(instance: Instance): Tap {
  const link = prepareLink(instance, ADDRESSES);
  withNetns(instance.netns, () => netdev.setUp(instance.tap, true));
  return link.tap;
}

/** What VEI does not do: the guest's tap in the box's own namespace. */
function raiseInBox(): Tap {
  const tap = Tap.open("bare0", { persist: false });
  netdev.setMac("bare0", HOST_MAC);
  netdev.disableIpv6("bare0");
  netdev.addPeer("bare0", ADDRESSES.host, ADDRESSES.guest);
  netdev.setUp("bare0", true);
  netdev.addNeighbour("bare0", ADDRESSES.guest, GUEST_MAC);
  return tap;
}

/** An ordinary interface of the box; frames to and from its network are ours to read and write. */
function boxInterface(name: string, { ip, mac }: { ip: string; mac: string }): Tap {
  const tap = Tap.open(name, { persist: false });
  netdev.setMac(name, mac);
  netdev.disableIpv6(name);
  addSubnet(netdev.interfaceIndex(name), ip, 24);
  netdev.setUp(name, true);
  return tap;
}

const dial = () => Deno.connect({ hostname: ADDRESSES.guest, port: 8080 });

Deno.test("inside the link namespace the guest is reached, from outside it is not", async () => {
  using _box = unshareNetns();
  using test = testInstance();
  using tap = raise(test.instance);
  const dialled = withNetns(test.instance.netns, dial);
  const accepted = await guest.acceptOne(tap);
  assert(accepted !== null, "the guest saw no connection");
  {
    using conn = await dialled;
    assertLocalAddress(conn, ADDRESSES.host);
  }
  guest.reset(tap, accepted!);
  await guest.framesFrom(tap);

  await assertRejects(dial, Error, "unreachable");
  const script = "exec 3<>/dev/tcp/172.30.0.11/8080";
  await assertRejects(
    () => mustRun("bash", ["-c", script], { timeoutMs: 5000 }),
    Error,
    "unreachable",
  );
  assertEquals(await guest.framesFrom(tap), [], "a frame from outside reached the guest");

  using bare = raiseInBox();
  const open = dial();
  assert(await guest.acceptOne(bare) !== null, "the control does not work");
  (await open).close();
  assertEquals(await guest.framesFrom(tap), []);
});

/** Dials, scans and floods what a host could have: services, other addresses, broadcast. */
function* attack(port: number): Generator<Uint8Array<ArrayBuffer>> {
  const to = (ip: string, toMac = HOST_MAC) => ({ ...guest.TO_HOST, to: ip, toMac });
  const syn = (at: typeof guest.TO_HOST, toPort: number, fromPort = 8080) =>
    tcpFrame({ ...at, fromPort, toPort, flags: guest.SYN });
  const addresses = [ADDRESSES.host, "127.0.0.1", UPLINK.ip, LAN.ip, "0.0.0.0", "172.30.0.255"];
  for (const ip of addresses) {
    for (const mac of [HOST_MAC, UPLINK.mac, LAN.mac, "ff:ff:ff:ff:ff:ff"]) {
      yield syn(to(ip, mac), port);
      yield udpFrame({ ...to(ip, mac), fromPort: 8080, toPort: port, payload: new Uint8Array(20) });
      yield ipFrame(to(ip, mac), 1, new Uint8Array([8, 0, 0xf7, 0xfe, 0, 0, 0, 1]));
    }
  }
  for (let scanned = 1; scanned < 10_000; scanned++) yield syn(to(ADDRESSES.host), scanned);
  for (let i = 0; i < 10_000; i++) yield syn(to(ADDRESSES.host), port, 1024 + i);
}

/** @returns the flags of every TCP segment that the host answered with; all frames are taken. */
async function answersTo(
  tap: Tap,
  frames: Iterable<Uint8Array<ArrayBuffer>>,
): Promise<Set<number>> {
  const flags = new Set<number>();
  const take = (frame: Uint8Array<ArrayBuffer> | null) => {
    const segment = frame && guest.readSegment(frame);
    if (segment) flags.add(segment.flags);
    return frame !== null;
  };
  for (const frame of frames) {
    guest.push(tap, frame);
    while (take(tap.read()));
  }
  for (const frame of await guest.framesFrom(tap)) take(frame);
  return flags;
}

Deno.test("a guest that dials, scans and floods the host reaches no service", async () => {
  using _box = unshareNetns();
  using test = testInstance();
  using _uplink = boxInterface("uplink0", UPLINK);
  using _lan = boxInterface("lan0", LAN);
  using listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  let received = 0;
  const udp = createSocket("udp4", () => received++);
  await new Promise<void>((resolve) => udp.bind(listener.addr.port, "0.0.0.0", resolve));
  let accepted = 0;
  const accepting = (async () => {
    for await (const conn of listener) {
      accepted++;
      conn.close();
    }
  })();

  using tap = raise(test.instance);
  const answers = await answersTo(tap, attack(listener.addr.port));
  assertEquals([...answers], [guest.RST | guest.ACK], "something but a refusal came back");
  assertEquals([accepted, received], [0, 0]);

  using bare = raiseInBox();
  const control = await answersTo(bare, attack(listener.addr.port));
  assert(control.has(guest.SYN_ACK) && received > 0, "the control does not work");
  udp.close();
  listener.close();
  await accepting.catch(() => {});
});

Deno.test("forwarding, masquerading and a second interface with the subnet make no way round", async () => {
  using _box = unshareNetns();
  using test = testInstance();
  netdev.writeNetSysctl("ipv4/ip_forward", "1");
  using lan = boxInterface("lan0", LAN);
  using uplink = boxInterface("uplink0", UPLINK);
  netdev.addNeighbour("uplink0", UPLINK.peer, PEER_MAC);
  await masquerade();
  using tap = raise(test.instance);
  assertEquals(
    withNetns(test.instance.netns, () => netdev.readNetSysctl("ipv4/ip_forward")),
    "0",
    "the box's forwarding came along",
  );
  await guest.framesFrom(lan);

  // A container behind the uplink, and a process of the box, look for the guest: on the LAN.
  const container = {
    toMac: UPLINK.mac,
    fromMac: PEER_MAC,
    from: UPLINK.peer,
    to: ADDRESSES.guest,
  };
  const inwards = (fromPort: number) =>
    tcpFrame({ ...container, fromPort, toPort: 8080, flags: guest.SYN });
  guest.push(uplink, inwards(5555));
  const stopped = mustRun("bash", ["-c", "exec 3<>/dev/tcp/172.30.0.11/8080"], { timeoutMs: 700 });
  await assertRejects(() => stopped);
  assertEquals(await guest.framesFrom(tap), [], "a frame from the box reached the guest");
  assert((await guest.framesFrom(lan)).length > 0, "nobody even asked on the LAN");

  // The guest looks for the world through the host.
  const outwards = (toMac: string) => {
    const at = { toMac, fromMac: GUEST_MAC, from: ADDRESSES.guest, to: UPLINK.peer };
    return tcpFrame({ ...at, fromPort: 8080, toPort: 443, flags: guest.SYN });
  };
  for (const mac of [HOST_MAC, UPLINK.mac, LAN.mac]) guest.push(tap, outwards(mac));
  assertEquals(await guest.framesFrom(uplink), [], "a frame of the guest left the box");
  assertEquals((await guest.framesFrom(lan)).filter((frame) => guest.readSegment(frame)), []);

  // The same with the tap in the box: both ways are open.
  using bare = raiseInBox();
  guest.push(uplink, inwards(5556)); // 5555 is bound to the LAN by now
  const seen = (await guest.framesFrom(bare)).map((frame) => guest.readSegment(frame));
  assert(seen.some((s) => s?.flags === guest.SYN && s.from === ADDRESSES.host), "control: inwards");
  guest.push(bare, outwards(HOST_MAC));
  const left = (await guest.framesFrom(uplink)).map((frame) => guest.readSegment(frame));
  assert(left.some((s) => s?.toPort === 443 && s.from === UPLINK.ip), "control: outwards");
  assertEquals(await guest.framesFrom(tap), []);
});

async function masquerade(): Promise<void> {
  const rules = "table ip nat {\n chain post {\n type nat hook postrouting priority 100;\n" +
    " masquerade\n }\n}\n";
  await mustRun("nft", ["-f", "-"], { stdin: new TextEncoder().encode(rules) });
}
