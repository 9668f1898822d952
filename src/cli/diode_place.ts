/** The interface that a pinned diode guards, wherever it is. */
import { netnsExists, withNetns } from "../../ffi/netns.ts";
import { allLinks } from "../../ffi/rtnetlink.ts";
import type { Instance } from "../host/instance.ts";

export interface GuardedInterface {
  name: string;
  /** Path of the namespace that it is in; null: the caller's. */
  netns: string | null;
}

/**
 * Looks in the caller's network namespace and in the instance's. Numbers of interfaces repeat from
 * namespace to namespace, so the interface has to name the program itself.
 * @returns null when it is in neither, or gone.
 */
export function guardedInterface(
  { netns }: Instance,
  diode: { ifindex: number; programId: number },
): GuardedInterface | null {
  const here = () =>
    allLinks().find(({ index, xdpProgramId }) =>
      index === diode.ifindex && xdpProgramId === diode.programId
    )?.name;
  const own = here();
  if (own !== undefined) return { name: own, netns: null };
  const there = netnsExists(netns) ? withNetns(netns, here) : undefined;
  return there === undefined ? null : { name: there, netns };
}
