/**
 * The link namespace of an instance and the tap in it: the guest's only wire. Nothing else is in
 * there, so that no process, container or service of the box can reach the guest or be reached.
 */
import { createNetns, netnsExists, removeNetns, withNetns } from "../ffi/netns.ts";
import { deleteInterface, setUp } from "../ffi/netdev.ts";
import { linkState } from "../ffi/rtnetlink.ts";
import { Tap } from "../ffi/tap.ts";
import { Exit, VeiError } from "../src/base/errors.ts";
import type { Instance } from "../src/host/instance.ts";
import {
  describeFault,
  isOurTap,
  type LinkAddresses,
  linkFaults,
  linkSettings,
  strangers,
} from "./link_settings.ts";

export { GUEST_MAC, HOST_MAC, type LinkAddresses } from "./link_settings.ts";

/** Where the model server of the guest listens. */
export const GUEST_PORT = 8080;

/** A prepared link. Disposing of it lets go of the tap; namespace, tap and settings stay. */
export interface Link extends Disposable {
  readonly ifindex: number;
  /** Held by us, so that a tap without QEMU keeps its carrier; hand `tap.fd` to QEMU. */
  readonly tap: Tap;
  readonly tapFd: number;
  /** False when it was there already (and has been checked). */
  readonly made: boolean;
  /** What had to be set right on a link that was there, e.g. `MTU is 9000, not 1500`. */
  readonly mended: string[];
}

/**
 * Makes the namespace and the persistent tap, or takes over what an earlier run left: each setting
 * is read, mended where it differs, and read again. The tap is DOWN afterwards; raise the diode,
 * then set it up. The calling thread stays where it is.
 * @throws VeiError `tap-foreign`, `netns-foreign` (nothing is changed), `tap-busy` (an orphaned
 * QEMU holds it: end it first), `link-damaged`, and those of createNetns and Tap.open.
 */
export function prepareLink(instance: Instance, addresses: LinkAddresses): Link {
  const fresh = !netnsExists(instance.netns);
  if (fresh) createNetns(instance.netns);
  try {
    return withNetns(instance.netns, () => prepareInside(instance, addresses));
  } catch (error) {
    if (fresh) removeNetns(instance.netns);
    throw error;
  }
}

function prepareInside(instance: Instance, addresses: LinkAddresses): Link {
  const name = instance.tap;
  refuseStrangers(instance);
  const existing = linkState(name);
  if (existing !== null && !isOurTap(existing)) throw tapForeign(instance);
  const tap = Tap.open(name, { persist: true });
  try {
    if (existing?.up) setUp(name, false);
    const mended: string[] = [];
    for (const { what, wanted, read, mend } of linkSettings(name, addresses)) {
      const found = read();
      if (found === wanted) continue;
      if (existing !== null) mended.push(describeFault({ what, found, wanted }));
      mend();
    }
    const { index } = linkState(name)!;
    const left = linkFaults(name, addresses, { ifindex: index, up: false, carrier: true });
    if (left.length > 0) {
      throw new VeiError({
        code: "link-damaged",
        message: `The link ${name} cannot be set right: ${left.map(describeFault).join("; ")}`,
        hint: `remove it: nsenter --net=${instance.netns} ip link delete ${name}`,
        exit: Exit.config,
      });
    }
    return {
      ifindex: index,
      tap,
      tapFd: tap.fd,
      made: existing === null,
      mended,
      [Symbol.dispose]: () => tap[Symbol.dispose](),
    };
  } catch (error) {
    tap[Symbol.dispose]();
    if (existing === null) deleteInterface(name);
    throw error;
  }
}

/**
 * The watch's question, to be asked from inside the namespace while the link is in service: is the
 * tap the same one, up, and configured as it was made? (QEMU, which holds its descriptor, could
 * change hardware address, owner, persistence and carrier by ioctl.)
 * @param link what prepareLink returned; not disposed of, or its carrier depends on QEMU alone.
 * @throws VeiError `link-lost`, naming everything that is not so.
 */
export function checkLink(
  instance: Instance,
  addresses: LinkAddresses,
  link: Pick<Link, "ifindex">,
): void {
  const wanted = { ifindex: link.ifindex, up: true, carrier: true };
  const faults = linkFaults(instance.tap, addresses, wanted);
  if (faults.length === 0) return;
  throw new VeiError({
    code: "link-lost",
    message: `The link ${instance.tap} is not as it was made: ${
      faults.map(describeFault).join("; ")
    }`,
    hint: "something changed it from outside, or QEMU was broken into; look before restarting",
    exit: Exit.failed,
  });
}

/**
 * Takes tap and namespace away, also while a QEMU holds the tap (whose wire is then dead).
 * @returns false when there was nothing.
 * @throws VeiError `tap-foreign`, `netns-foreign`: something in there is not ours; nothing is changed.
 */
export function removeLink(instance: Instance): boolean {
  if (netnsExists(instance.netns)) {
    withNetns(instance.netns, () => {
      refuseStrangers(instance);
      const state = linkState(instance.tap);
      if (state === null) return;
      // Persistence and owner do not count here: a hostile QEMU may have changed them.
      if (!state.tun?.tap) throw tapForeign(instance);
      deleteInterface(instance.tap);
    });
  }
  return removeNetns(instance.netns);
}

/**
 * To be called after each connect to the guest, before a byte is sent: a connection that was made
 * in another namespace has another local address.
 * @throws VeiError `link-wrong-address`; the connection is closed.
 */
export function assertLocalAddress(
  conn: { readonly localAddr: Deno.Addr; close(): void },
  host: string,
): void {
  const { localAddr } = conn;
  const found = "hostname" in localAddr ? localAddr.hostname : localAddr.transport;
  if (localAddr.transport === "tcp" && found === host) return;
  conn.close();
  throw new VeiError({
    code: "link-wrong-address",
    message: `A connection to the guest came from ${found}, not from ${host}: nothing was sent`,
    hint: "this is a fault of vei: please report it",
    exit: Exit.internal,
  });
}

function refuseStrangers(instance: Instance): void {
  const found = strangers(instance.tap);
  if (found.length === 0) return;
  throw new VeiError({
    code: "netns-foreign",
    message: `The network namespace ${instance.netns} holds other interfaces: ${found.join(", ")}`,
    hint: "it has to hold the guest's wire alone: remove them, or use another --instance",
    exit: Exit.tryAgain,
  });
}

function tapForeign(instance: Instance): VeiError {
  const inside = `nsenter --net=${instance.netns} ip`;
  return new VeiError({
    code: "tap-foreign",
    message: `The interface ${instance.tap} in ${instance.netns} is not a persistent tap of ours`,
    hint: `look at it: \`${inside} -d link show ${instance.tap}\`; remove it ` +
      `(\`${inside} link delete ${instance.tap}\`), or use another --instance`,
    exit: Exit.tryAgain,
  });
}
