/** The kernel's side of an exchange: which drops belong to which flow, and what receipts bind. */
import type { FlowWatch, KernelDrop, KernelGate } from "../api/exchange.ts";
import type { DropEvent } from "../bpf/event.ts";
import type { Setting } from "../receipt/statement.ts";
import type { ProvenDiode } from "../../diodes/proof.ts";
import type { GuestImage } from "../../enclave/images.ts";
import type { RaisedDiode } from "./raised_diode.ts";

/** TCP goes on sending what was dropped for some minutes after its connection was closed. */
const LINGER_MS = 20 * 60_000;

/** Of one flow; a guest can make as many as it likes. */
const MAX_DROPS = 64;

/** Hands each drop to whoever watches its flow, by our own port. */
export class FlowWatches {
  private readonly watches = new Map<number, (event: DropEvent) => void>();
  /** Ports of requests that have their receipt: what is sent again on them is no incident. */
  private readonly finished = new Map<number, number>();

  /** @param nowMs a clock that only goes forward. */
  constructor(private readonly nowMs: () => number) {}

  /**
   * Called with every drop record, before anything is thinned out.
   * @returns whether it belongs to a request, one under way or a finished one.
   */
  notify(event: DropEvent): boolean {
    const port = event.destinationPort;
    const watch = this.watches.get(port);
    watch?.(event);
    return watch !== undefined || this.nowMs() - (this.finished.get(port) ?? -Infinity) < LINGER_MS;
  }

  watch(port: number): FlowWatch {
    const stopped = Promise.withResolvers<KernelDrop>();
    const drops = new Map<string, KernelDrop>();
    this.watches.set(port, (event) => {
      const drop = addDrop(drops, event);
      if (drop) stopped.resolve(drop);
    });
    return {
      stopped: stopped.promise,
      drops: () => [...drops.values()].map((drop) => ({ ...drop })),
      [Symbol.dispose]: () => {
        this.watches.delete(port);
        this.finished.set(port, this.nowMs());
      },
    };
  }
}

/**
 * Adds a drop to those of its flow; a retransmission counts with the first.
 * @returns the drop when it is a new one.
 */
export function addDrop(drops: Map<string, KernelDrop>, event: DropEvent): KernelDrop | null {
  const key = `${event.sequence} ${event.reason}`;
  const known = drops.get(key);
  if (known) known.retransmissions++;
  if (known || drops.size >= MAX_DROPS) return null;
  const drop = {
    reason: event.reason,
    offset: event.offset,
    tcp_sequence: event.sequence,
    payload_bytes: event.payloadLength,
    retransmissions: 0,
  };
  drops.set(key, drop);
  return drop;
}

export interface KernelGateParts {
  diode: RaisedDiode;
  image: GuestImage;
  qemu: { version: string; argumentsSha256: string };
  flows: FlowWatches;
}

/** @returns what receipts say of a diode. */
export function diodeSetting(
  { name, digests, share, proof }: ProvenDiode,
): NonNullable<Setting["diode"]> {
  const { source, program, table, config } = digests;
  const rules = share && { rules: share.held.map(({ id }) => id) };
  const { certificates } = proof;
  return { name, source, program, table, link_rules: config, certificates, ...rules };
}

/** @returns what an exchange through this gate needs and binds. */
export function kernelGate(
  { diode, image, qemu, flows }: KernelGateParts,
): KernelGate {
  const { files } = image.manifest;
  return {
    diode: diodeSetting(diode.plan),
    enclave: {
      image: image.digest,
      kernel: files.kernel.sha256,
      initrd: files.initrd.sha256,
      root: files["root.squashfs"].sha256,
      qemu_version: qemu.version,
      qemu_arguments: qemu.argumentsSha256,
    },
    linkId: diode.guard.ids.link,
    programId: diode.guard.ids.program,
    counters: () => diode.counters(),
    replacedBy: () =>
      [...diode.successors()].map((next) => ({
        program_id: next.guard.ids.program,
        diode: diodeSetting(next.plan),
        counters_after: next.counters(),
      })),
    watch: (port) => flows.watch(port),
  };
}
