/** The pinned diode as anybody with root finds it, with or without a daemon. */
import type { DiodeMaps } from "../src/bpf/program.ts";
import { VeiError } from "../src/base/errors.ts";
import { isErrno } from "../ffi/bpf_info.ts";
import { BpfMap } from "../ffi/bpf_map.ts";
import { BPFFS, isBpffsMounted } from "../ffi/bpffs.ts";
import { XdpLink } from "../ffi/xdp_link.ts";
import { DiodeObjects } from "./objects.ts";

/** @returns the path of the link's pin in a folder of pins. */
export const pinOf = (pins: string) => `${pins}/link`;

/** @returns the pinned link, null when there is none. */
export function openPin(pin: string): XdpLink | null {
  try {
    const folder = pin.slice(0, pin.lastIndexOf("/"));
    return isBpffsMounted(folder) ? XdpLink.fromPin(pin) : null;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
}

/** @returns the name of the instance whose pinned link runs this program, null when none does. */
export function pinnedAs(programId: number): string | null {
  if (!isBpffsMounted()) return null;
  for (const { name, isDirectory } of Deno.readDirSync(BPFFS)) {
    if (isDirectory && runs(`${BPFFS}/${name}`, programId)) return name;
  }
  return null;
}

/** Other programs have pins of other kinds under the same names: those are not ours. */
function runs(pins: string, programId: number): boolean {
  try {
    using link = openPin(pinOf(pins));
    return link?.info().programId === programId;
  } catch (error) {
    if (error instanceof VeiError) return false;
    throw error;
  }
}

/** What `readDiode` says; fit for JSON. */
export interface DiodeStatus {
  linkId: number;
  programId: number;
  /** The kernel's tag of the program: information only, it binds no table. */
  tag: string;
  /** 0: the interface is gone, so the diode guards nothing. */
  ifindex: number;
  mapIds: DiodeMaps<number>;
  /** How many instructions the verifier went through when it was loaded (kernel ≥ 5.16). */
  verifiedInstructions: number;
  /** Both tables are frozen. */
  frozen: boolean;
  /** Frames by reason; exact to 2^53. */
  counters: Record<string, number>;
  /** SHA-256 in hex, read back now. */
  digests: { table: string; config: string };
}

/**
 * What the kernel itself shows of the pinned diode; needs no daemon.
 * @returns null when nothing is pinned.
 * @throws VeiError `pin-foreign`, `diode-foreign`; SystemError EACCES or EPERM without root.
 */
export function readDiode(pins: string): DiodeStatus | null {
  using link = openPin(pinOf(pins));
  if (link === null) return null;
  const { id, programId, ifindex } = link.info();
  using objects = DiodeObjects.open(programId);
  const { tag, verifiedInstructions } = objects.program.info();
  return {
    linkId: id,
    programId,
    tag,
    verifiedInstructions,
    ifindex,
    mapIds: objects.mapIds,
    frozen: objects.maps.table.frozen() && objects.maps.config.frozen(),
    counters: objects.counters(),
    digests: objects.digests(),
  };
}

/**
 * @returns the pinned diode's event ring, null when nothing is pinned. It has exactly one reader:
 * hold the state's lock.
 */
export function openEvents(pins: string): BpfMap | null {
  using link = openPin(pinOf(pins));
  if (link === null) return null;
  using objects = DiodeObjects.open(link.info().programId);
  return BpfMap.fromId(objects.mapIds.events);
}

/**
 * Takes the diode away at once, whoever else holds it: from then on the interface is open, so set it
 * down before.
 * @returns false when nothing was pinned.
 * @throws VeiError `pin-foreign`; SystemError.
 */
export function detachDiode(pins: string): boolean {
  const pin = pinOf(pins);
  using link = openPin(pin);
  if (link === null) return false;
  link.detach();
  Deno.removeSync(pin);
  removeIfEmpty(pins);
  return true;
}

/** A folder of pins that holds something else than ours stays, and so does a mount point. */
export function removeIfEmpty(pins: string): void {
  if ([...Deno.readDirSync(pins)].length > 0) return;
  try {
    Deno.removeSync(pins);
  } catch (error) {
    // EBUSY: a service's mount namespace holds the folder writable for us.
    if (!(error instanceof Deno.errors.Busy)) throw error;
  }
}
