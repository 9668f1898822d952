/**
 * Puts a diode on an interface, pinned, or takes over the one that is there.
 *
 * A pinned diode is adopted by content only: same link, interface, maps (frozen, with the planned
 * bytes) and translated code. Anything else on our link is replaced atomically. Whatever fails,
 * nothing half-raised stays.
 */
import { Exit, VeiError } from "../src/base/errors.ts";
import { isErrno } from "../ffi/bpf_info.ts";
import { ensureBpffs, isBpffsMounted } from "../ffi/bpffs.ts";
import { allLinks } from "../ffi/rtnetlink.ts";
import { XdpLink } from "../ffi/xdp_link.ts";
import { Guard, programOn, type Raised } from "./guard.ts";
import { DiodeObjects } from "./objects.ts";
import { openPin, pinnedAs, pinOf, removeIfEmpty } from "./pinned.ts";
import type { ProvenDiode } from "./proof.ts";

export { Guard } from "./guard.ts";
export { detachDiode, type DiodeStatus, openEvents, readDiode } from "./pinned.ts";

export interface RaiseInit {
  /** The two tables, and the proof of them. */
  plan: Pick<ProvenDiode, "table" | "config" | "proof">;
  /** An interface of this thread's network namespace. */
  ifindex: number;
  /** Attach also to an interface that is up: what came in before was not judged. Default: refuse. */
  mayBeUp?: boolean;
  /** Folder in bpffs; the link is pinned in it as `link`. */
  pins: string;
}

/**
 * Raises a diode: adopts the pinned one if it is exactly the planned one, else replaces its program,
 * else attaches and pins anew. All is read back before it returns. Counters start anew unless it was
 * adopted. The caller brings the interface up afterwards.
 * @throws VeiError `diode-hook-taken` (75) when somebody else's program is on the interface,
 * `diode-elsewhere` when the pinned link guards another one, `diode-interface-up` when it is already
 * up without a diode, `bpffs-private`, `pin-foreign`, `diode-lost`; SystemError.
 */
export function raiseDiode({ plan, ifindex, pins, mayBeUp = false }: RaiseInit): Guard {
  ensureBpffs(pins);
  using stack = new DisposableStack();
  const pin = pinOf(pins);
  const hold = (how: Raised, link: XdpLink, objects: DiodeObjects) => {
    const guard = new Guard({ how, content: plan, link, objects, ifindex, pin });
    stack.move(); // the guard owns all of it now
    return guard;
  };

  const pinned = openLivePin(pin);
  if (pinned !== null) {
    stack.use(pinned);
    const info = pinned.info();
    if (info.ifindex !== ifindex || programOn(ifindex) !== info.programId) {
      throw elsewhere(pin, info.ifindex, ifindex);
    }
    const same = openSame(info.programId, plan);
    if (same !== null) return hold("adopted", pinned, stack.use(same));
    const objects = stack.use(DiodeObjects.create(plan, plan.proof));
    pinned.replace(objects.program);
    return hold("replaced", pinned, objects);
  }

  const objects = stack.use(DiodeObjects.create(plan, plan.proof));
  const link = stack.use(attach(objects, ifindex, mayBeUp));
  // Closing alone would let go of the interface only some time later.
  stack.defer(() => link.detach());
  makeFolder(pins);
  stack.defer(() => removeIfEmpty(pins));
  link.pin(pin);
  stack.defer(() => Deno.removeSync(pin));
  return hold("attached", link, objects);
}

/**
 * @returns the pinned link, null when there is none. A dead one is unpinned: its interface is gone,
 * it guards nothing and nothing brings it back.
 */
function openLivePin(pin: string): XdpLink | null {
  const link = openPin(pin);
  if (link === null || link.info().ifindex !== 0) return link;
  link[Symbol.dispose]();
  Deno.removeSync(pin);
  return null;
}

/** @returns the loaded diode if it is exactly the planned one, else null. */
function openSame(programId: number, plan: RaiseInit["plan"]): DiodeObjects | null {
  let objects;
  try {
    objects = DiodeObjects.open(programId);
  } catch (error) {
    if (error instanceof VeiError && error.code === "diode-foreign") return null;
    throw error;
  }
  try {
    if (objects.differenceFrom(plan) === null && objects.isOurProgram(plan.proof)) return objects;
  } catch (error) {
    objects[Symbol.dispose]();
    throw error;
  }
  objects[Symbol.dispose]();
  return null;
}

function attach({ program }: DiodeObjects, ifindex: number, mayBeUp: boolean): XdpLink {
  const state = allLinks().find(({ index }) => index === ifindex);
  const running = state?.xdpProgramId ?? null;
  if (running !== null) {
    const owner = pinnedAs(running);
    throw owner === null ? hookTaken(ifindex, `program ${running}`) : guarded(ifindex, owner);
  }
  if (state?.up && !mayBeUp) {
    throw new VeiError({
      code: "diode-interface-up",
      message: `The interface ${state.name} is already up, without a diode`,
      hint: `set it down first: ip link set ${state.name} down`,
      exit: Exit.tryAgain,
    });
  }
  try {
    return XdpLink.attach(program, ifindex);
  } catch (error) {
    if (isErrno(error, "EBUSY")) throw hookTaken(ifindex, "another program", error);
    throw error;
  }
}

function makeFolder(pins: string): void {
  // In a service it is there, in a folder that we could not make it in.
  if (isBpffsMounted(pins)) return;
  try {
    Deno.mkdirSync(pins, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

function hookTaken(ifindex: number, what: string, cause?: unknown): VeiError {
  return new VeiError({
    code: "diode-hook-taken",
    message: `Interface ${ifindex} already runs an XDP program that is not ours: ${what}`,
    hint:
      "find and stop what put it there (`ip -d link` shows the program, `bpftool link` its link)",
    exit: Exit.tryAgain,
    cause,
  });
}

function guarded(ifindex: number, owner: string): VeiError {
  return new VeiError({
    code: "diode-hook-taken",
    message: `Interface ${ifindex} is guarded already, by the diode of the instance ${owner}`,
    hint: `replace that one (--instance ${owner}), or: vei diode detach --instance ${owner}`,
    exit: Exit.tryAgain,
  });
}

function elsewhere(pin: string, found: number, wanted: number): VeiError {
  const where = found === wanted ? `another interface ${found}` : `interface ${found}`;
  return new VeiError({
    code: "diode-elsewhere",
    message: `The link pinned at ${pin} guards ${where}, not the interface ${wanted} given here`,
    hint: "an instance guards one interface (of a namespace that may have been replaced): " +
      "`vei diode detach` lets go of the old one, --instance names another",
    exit: Exit.tryAgain,
  });
}
