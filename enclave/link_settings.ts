/** What the link has to be, as one list: read, compared and mended in the same words. */
import * as netdev from "../ffi/netdev.ts";
import {
  addressesOf,
  allLinks,
  type LinkState,
  linkState,
  neighboursOf,
} from "../ffi/rtnetlink.ts";

export const HOST_MAC = "02:00:00:00:00:01";
export const GUEST_MAC = "52:54:00:12:34:56";
/** Bytes of an IP packet: frames of at most 1514, which is what the diode lets pass. */
const MTU = "1500";

/** Both ends of the link, dotted decimal. */
export interface LinkAddresses {
  host: string;
  guest: string;
}

/** One thing about the link that is not as it has to be. */
export interface LinkFault {
  what: string;
  found: string;
  wanted: string;
}

/** @returns a clause such as `MTU is 9000, not 1500`. */
export function describeFault({ what, found, wanted }: LinkFault): string {
  return `${what} is ${found === "" ? "missing" : found}, not ${wanted}`;
}

export interface LinkSetting {
  what: string;
  wanted: string;
  read(): string;
  mend(): void;
}

/**
 * The settings that can be mended, of the tap and of the namespace that the calling thread is in.
 * In the order in which they are set: a new hardware address or `down` drops the neighbours.
 */
export function linkSettings(tap: string, { host, guest }: LinkAddresses): LinkSetting[] {
  return [
    {
      what: "hardware address",
      wanted: HOST_MAC,
      read: () => netdev.macOf(tap),
      mend: () => netdev.setMac(tap, HOST_MAC),
    },
    {
      what: "MTU",
      wanted: MTU,
      read: () => String(linkState(tap)?.mtu ?? ""),
      mend: () => netdev.setMtu(tap, Number(MTU)),
    },
    ...["all", "default", tap].map((name): LinkSetting => ({
      what: `IPv6 (${name})`,
      wanted: "off",
      read: () => netdev.ipv6Disabled(name) ? "off" : "on",
      mend: () => netdev.disableIpv6(name),
    })),
    // A new namespace takes these over from the box, where Docker switches forwarding on.
    ...["ip_forward", `conf/${tap}/forwarding`, `conf/${tap}/proxy_arp`].map((
      key,
    ): LinkSetting => ({
      what: key,
      wanted: "0",
      read: () => netdev.readNetSysctl(`ipv4/${key}`) ?? "",
      mend: () => netdev.writeNetSysctl(`ipv4/${key}`, "0"),
    })),
    {
      what: "address",
      wanted: `${host} peer ${guest}/32`,
      read: () =>
        addressesOf(netdev.interfaceIndex(tap))
          .map(({ local, peer, prefix }) => `${local} peer ${peer}/${prefix}`).join(" and "),
      mend: () => {
        const present = addressesOf(netdev.interfaceIndex(tap));
        for (const address of present) netdev.removeAddress(tap, address);
        netdev.addPeer(tap, host, guest);
      },
    },
    {
      what: `neighbour ${guest}`,
      wanted: `${GUEST_MAC} (permanent)`,
      read: () =>
        neighboursOf(netdev.interfaceIndex(tap)).filter(({ ip }) => ip === guest)
          .map(({ mac, permanent }) => `${mac}${permanent ? " (permanent)" : ""}`).join(" and "),
      mend: () => netdev.addNeighbour(tap, guest, GUEST_MAC),
    },
  ];
}

/** @returns true for a persistent tap with one queue that belongs to no user: what we make. */
export function isOurTap({ tun }: LinkState): boolean {
  return tun !== null && tun.tap && tun.persist && !tun.multiQueue && tun.owner === null &&
    tun.group === null;
}

/** @returns the names of interfaces that are up and have no business in the link namespace. */
export function strangers(tap: string): string[] {
  // Some kernels put tunnel devices (sit0, tunl0…) into every namespace; they are down.
  return allLinks().filter(({ name, up }) => up && name !== tap && name !== "lo")
    .map(({ name }) => name);
}

/** @returns what the tap is and how it is configured, where that is not as wanted. */
export function linkFaults(
  tap: string,
  addresses: LinkAddresses,
  wanted: { ifindex: number; up: boolean; carrier: boolean },
): LinkFault[] {
  const state = linkState(tap);
  const index = String(wanted.ifindex);
  if (state === null || state.tun === null) {
    return [{ what: `interface ${tap}`, found: state?.kind ?? "", wanted: `tap ${index}` }];
  }
  const { tun } = state;
  const upDown = (up: boolean) => up ? "up" : "down";
  const facts: LinkFault[] = [
    { what: "interface number", found: String(state.index), wanted: index },
    { what: "interface type", found: tun.tap ? "tap" : "tun", wanted: "tap" },
    { what: "persistence", found: String(tun.persist), wanted: "true" },
    { what: "virtio header", found: String(tun.vnetHdr), wanted: "false" },
    { what: "packet information", found: String(tun.packetInfo), wanted: "false" },
    { what: "multi-queue", found: String(tun.multiQueue), wanted: "false" },
    { what: "owner", found: String(tun.owner), wanted: "null" },
    { what: "owning group", found: String(tun.group), wanted: "null" },
    // What the diode lets pass would go to the bridge, and never to the daemon.
    { what: "bridge", found: String(state.master ?? "none"), wanted: "none" },
    { what: "state", found: upDown(state.up), wanted: upDown(wanted.up) },
    { what: "other interfaces", found: strangers(tap).join(" ") || "none", wanted: "none" },
  ];
  // Without a holder there is no carrier; whether there has to be one, the caller knows.
  if (wanted.carrier) facts.push({ what: "carrier", found: String(state.carrier), wanted: "true" });
  for (const { what, wanted, read } of linkSettings(tap, addresses)) {
    facts.push({ what, found: read(), wanted });
  }
  return facts.filter((fact) => fact.found !== fact.wanted);
}
