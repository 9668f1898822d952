/** Changes to a network interface of the calling thread's namespace (rtnetlink(7)). */
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import { parseIpv4, parseMac } from "../src/base/ipv4.ts";
import { Struct } from "./native.ts";
import { netlinkRequest, NLM, withAttributes } from "./netlink.ts";
import { linkState } from "./rtnetlink.ts";

const RTM_NEWLINK = 16, RTM_DELLINK = 17, RTM_NEWADDR = 20, RTM_DELADDR = 21;
const RTM_NEWNEIGH = 28;
const IFLA_ADDRESS = 1, IFLA_MTU = 4;
const IFA_ADDRESS = 1, IFA_LOCAL = 2;
const NDA_DST = 1, NDA_LLADDR = 2;
const IFF_UP = 1;
const AF_INET = 2;
const NUD_PERMANENT = 0x80;

/** @returns the kernel's number of an interface, 0 when there is none of this name. */
export function interfaceIndex(name: string): number {
  return linkState(name)?.index ?? 0;
}

/** @throws VeiError `interface-missing`. */
function indexOf(name: string): number {
  const index = interfaceIndex(name);
  if (index !== 0) return index;
  throw new VeiError({
    code: "interface-missing",
    message: `There is no interface ${name} in this network namespace`,
    exit: Exit.unavailable,
  });
}

/** @returns true when an administrator set it up (IFF_UP), whether or not it has a carrier. */
export function isUp(name: string): boolean {
  return linkState(name)?.up ?? false;
}

/** Sets an interface up or down. @throws SystemError | VeiError `interface-missing` */
export function setUp(name: string, up: boolean): void {
  const info = ifinfo(indexOf(name)).u32(8, up ? IFF_UP : 0).u32(12, IFF_UP).bytes;
  netlinkRequest(RTM_NEWLINK, 0, info, `Cannot set ${name} ${up ? "up" : "down"}`);
}

/** @returns `xx:xx:xx:xx:xx:xx`; empty when there is no such interface. */
export function macOf(name: string): string {
  return linkState(name)?.mac ?? "";
}

/** @param mac `xx:xx:xx:xx:xx:xx`. @throws SystemError | VeiError `interface-missing` */
export function setMac(name: string, mac: string): void {
  const body = withAttributes(ifinfo(indexOf(name)).bytes, [[IFLA_ADDRESS, parseMac(mac)]]);
  netlinkRequest(RTM_NEWLINK, 0, body, `Cannot set the hardware address of ${name}`);
}

/** @param mtu bytes of an IP packet. @throws SystemError | VeiError `interface-missing` */
export function setMtu(name: string, mtu: number): void {
  const value = new Struct(4).u32(0, mtu).bytes;
  const body = withAttributes(ifinfo(indexOf(name)).bytes, [[IFLA_MTU, value]]);
  netlinkRequest(RTM_NEWLINK, 0, body, `Cannot set the MTU of ${name}`);
}

/**
 * Gives an interface a point-to-point IPv4 address: no subnet, only a route to the peer.
 * @throws SystemError EEXIST when it has it already.
 */
export function addPeer(name: string, localIp: string, peerIp: string): void {
  const body = address(indexOf(name), localIp, peerIp, 32);
  const flags = NLM.create | NLM.exclusive;
  netlinkRequest(RTM_NEWADDR, flags, body, `Cannot give ${name} the address ${localIp}`);
}

/** Takes an IPv4 address away, with what `addressesOf` says of it. @throws SystemError */
export function removeAddress(
  name: string,
  { local, peer, prefix }: { local: string; peer: string; prefix: number },
): void {
  const body = address(indexOf(name), local, peer, prefix);
  netlinkRequest(RTM_DELADDR, 0, body, `Cannot take the address ${local} from ${name}`);
}

/** Sets a permanent neighbour entry: the peer's MAC is never asked for. @throws SystemError */
export function addNeighbour(name: string, ip: string, mac: string): void {
  const header = new Struct(12).u8(0, AF_INET).i32(4, indexOf(name)).u16(8, NUD_PERMANENT).bytes;
  const body = withAttributes(header, [[NDA_DST, parseIpv4(ip)], [NDA_LLADDR, parseMac(mac)]]);
  const flags = NLM.create | NLM.replace;
  netlinkRequest(RTM_NEWNEIGH, flags, body, `Cannot set the neighbour ${ip} of ${name}`);
}

/** Removes an interface, also a tap that somebody holds open. @throws SystemError */
export function deleteInterface(name: string): void {
  netlinkRequest(RTM_DELLINK, 0, ifinfo(indexOf(name)).bytes, `Cannot delete ${name}`);
}

/**
 * Switches IPv6 off on one interface (or `all`, `default`): no address, no neighbour discovery.
 * A kernel without IPv6 has nothing to switch off.
 */
export function disableIpv6(name: string): void {
  if (readNetSysctl(`ipv6/conf/${name}/disable_ipv6`) !== null) {
    writeNetSysctl(`ipv6/conf/${name}/disable_ipv6`, "1");
  }
}

/** @returns true when the interface speaks no IPv6. */
export function ipv6Disabled(name: string): boolean {
  return (readNetSysctl(`ipv6/conf/${name}/disable_ipv6`) ?? "1") === "1";
}

/**
 * @param key e.g. `ipv4/ip_forward`; /proc/sys/net shows the calling thread's namespace.
 * @returns null where the kernel has no such setting.
 */
export function readNetSysctl(key: string): string | null {
  try {
    return Deno.readTextFileSync(`/proc/sys/net/${key}`).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Writes a kernel setting and reads it back. @throws VeiError `sysctl-refused` */
export function writeNetSysctl(key: string, value: string): void {
  let why = "";
  try {
    if (readNetSysctl(key) === value) return;
    Deno.writeTextFileSync(`/proc/sys/net/${key}`, value);
  } catch (error) {
    why = `: ${messageOf(error)}`;
  }
  if (why === "" && readNetSysctl(key) === value) return;
  throw new VeiError({
    code: "sysctl-refused",
    message: `Cannot set /proc/sys/net/${key} to ${value}${why}`,
    hint: "run as root, with /proc/sys writable (containers often mount it read-only)",
    exit: Exit.noPermission,
  });
}

/** @returns an ifinfomsg that names an interface. */
function ifinfo(index: number): Struct {
  return new Struct(16).i32(4, index);
}

/** @returns an ifaddrmsg with both ends of an address. */
function address(index: number, local: string, peer: string, prefix: number) {
  const header = new Struct(8).u8(0, AF_INET).u8(1, prefix).u32(4, index).bytes;
  return withAttributes(header, [[IFA_LOCAL, parseIpv4(local)], [IFA_ADDRESS, parseIpv4(peer)]]);
}
