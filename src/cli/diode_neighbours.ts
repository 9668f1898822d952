/**
 * Permanent neighbour entries for the two ends of a guarded link. ARP does not pass a diode, so once
 * the entries that there were have aged, neither end would know where to send.
 */
import { Exit, VeiError } from "../base/errors.ts";
import { addNeighbour } from "../../ffi/netdev.ts";
import { netnsExists, withNetns } from "../../ffi/netns.ts";
import { addressesOf, allLinks, linkState, neighboursOf } from "../../ffi/rtnetlink.ts";

/** One entry. */
export interface Neighbour {
  /** Whose table it is in. */
  interface: string;
  /** Path of the namespace that it is in; null: the caller's. */
  netns: string | null;
  ip: string;
  mac: string;
}

export interface LinkEnds {
  /** The guarded interface, in this thread's namespace. */
  dev: string;
  /** The sender's address, and ours. */
  from: string;
  to: string;
  /** Path of the sender's namespace; null: not known, so only our own end is seen to. */
  netns: string | null;
}

/**
 * Finds out both entries; sets nothing. Without the sender's namespace its MAC is the one that the
 * kernel has learnt.
 * @throws VeiError `interface-missing`, `neighbour-unknown`; SystemError.
 */
export function neighboursFor({ dev, from, to, netns }: LinkEnds): Neighbour[] {
  const own = addressedEnd(dev);
  if (netns === null) {
    const known = neighboursOf(own.index).find(({ ip, mac }) => ip === from && mac !== "");
    if (!known) throw unknown(`The kernel knows no MAC address of ${from} on ${own.name}`);
    return [{ interface: own.name, netns, ip: from, mac: known.mac }];
  }
  if (!netnsExists(netns)) throw unknown(`There is no network namespace at ${netns}`);
  const peer = withNetns(
    netns,
    () => allLinks().find(({ index }) => addressesOf(index).some(({ local }) => local === from)),
  );
  if (!peer) throw unknown(`No interface in ${netns} has the address ${from}`);
  return [
    { interface: own.name, netns: null, ip: from, mac: peer.mac },
    { interface: peer.name, netns, ip: to, mac: own.mac },
  ];
}

/** Sets them, in the place of what was there. @throws SystemError */
export function setNeighbours(entries: readonly Neighbour[]): void {
  for (const { interface: name, netns, ip, mac } of entries) {
    const set = () => addNeighbour(name, ip, mac);
    if (netns === null) set();
    else withNetns(netns, set);
  }
}

/** The interface that speaks IP for another: a port of a bridge has no address of its own. */
function addressedEnd(dev: string) {
  const own = linkState(dev)!;
  if (own.master === null) return own;
  return allLinks().find(({ index }) => index === own.master) ?? own;
}

function unknown(message: string): VeiError {
  return new VeiError({
    code: "neighbour-unknown",
    message,
    hint: "--netns PATH names the namespace of the sender, e.g. /proc/PID/ns/net of a container",
    exit: Exit.noInput,
  });
}
