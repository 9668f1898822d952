/** A raised diode, held: what it is, what it counted, and whether all of it is still so. */
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import type { DiodeMaps } from "../src/bpf/program.ts";
import { netnsId } from "../ffi/netns.ts";
import { RingReader } from "../ffi/ring.ts";
import { allLinks } from "../ffi/rtnetlink.ts";
import { XdpLink } from "../ffi/xdp_link.ts";
import type { DiodeContent, DiodeObjects } from "./objects.ts";

/** What `raiseDiode` did: attached anew, found all as planned, or changed a pinned link's program. */
export type Raised = "attached" | "adopted" | "replaced";

export interface GuardInit {
  how: Raised;
  content: DiodeContent;
  /** Owned by the guard from then on, as is `objects`. */
  link: XdpLink;
  objects: DiodeObjects;
  ifindex: number;
  /** Path of the link's pin. */
  pin: string;
}

/** Ids in the kernel, in decimal as `bpftool` shows them. */
export interface DiodeIds {
  link: number;
  program: number;
  maps: DiodeMaps<number>;
}

/** Disposing of it closes our descriptors; the pinned diode stays. */
export class Guard implements Disposable {
  readonly how: Raised;
  readonly adopted: boolean;
  readonly ids: DiodeIds;
  /** The only reader of the event ring. */
  readonly ring: RingReader;
  private readonly netns = netnsId();

  /** @throws VeiError `diode-lost` when anything is not as it should be; then nothing is owned. */
  constructor(private readonly init: GuardInit) {
    const { how, link, objects } = init;
    this.how = how;
    this.adopted = how === "adopted";
    this.ids = {
      link: link.info().id,
      program: objects.program.info().id,
      maps: objects.mapIds,
    };
    this.check();
    this.ring = new RingReader(objects.maps.events);
  }

  /** @returns how many frames there were, by reason. */
  counters(): Record<string, number> {
    return this.init.objects.counters();
  }

  /**
   * Compares everything with what was raised: our link and the pinned one, the interface's own
   * word, program, maps, frozen, content. Takes about a millisecond. Called in the namespace of the
   * interface, where it was raised.
   * @throws VeiError `diode-lost`, naming what is not so.
   */
  check(): void {
    let wrong;
    try {
      wrong = this.firstDifference();
    } catch (cause) {
      throw lost(messageOf(cause), cause);
    }
    if (wrong !== null) throw lost(wrong);
  }

  private firstDifference(): string | null {
    const { link, pin, objects, content, ifindex } = this.init;
    const { ids } = this;
    const ours = link.info();
    if (ours.ifindex === 0) return "the link was detached, or its interface is gone";
    if (ours.ifindex !== ifindex) return `the link is on interface ${ours.ifindex}, not ${ifindex}`;
    if (ours.programId !== ids.program) {
      return `the link runs program ${ours.programId}, not ${ids.program}`;
    }
    using pinned = XdpLink.fromPin(pin);
    const { id } = pinned.info();
    if (id !== ids.link) return `the pin ${pin} holds link ${id}, not ${ids.link}`;
    // Interface numbers repeat in other namespaces, so the interface itself is asked too.
    if (netnsId() !== this.netns) return "it is looked at from another network namespace";
    const running = programOn(ifindex);
    if (running !== ids.program) {
      return `interface ${ifindex} runs ${running === null ? "no program" : `program ${running}`}` +
        `, not ${ids.program}`;
    }
    const { mapIds } = objects.program.info();
    const expected = Object.values(ids.maps);
    if (mapIds.length !== expected.length || !expected.every((map) => mapIds.includes(map))) {
      return `the program has the maps ${mapIds.join(" ")}, not ${expected.join(" ")}`;
    }
    return objects.differenceFrom(content);
  }

  [Symbol.dispose](): void {
    this.ring[Symbol.dispose]();
    this.init.link[Symbol.dispose]();
    this.init.objects[Symbol.dispose]();
  }
}

/** @returns the id of the XDP program on an interface of this namespace, null without one. */
export function programOn(ifindex: number): number | null {
  return allLinks().find(({ index }) => index === ifindex)?.xdpProgramId ?? null;
}

function lost(what: string, cause?: unknown): VeiError {
  return new VeiError({
    code: "diode-lost",
    message: `The diode is not as it was raised: ${what}`,
    hint: "something with root's rights changed it; `vei serve` raises it again",
    exit: Exit.unavailable,
    cause,
  });
}
