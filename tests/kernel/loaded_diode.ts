/** A diode in the kernel, for tests: its program on maps of its own, attached to nothing. */
import { BpfMap } from "../../ffi/bpf_map.ts";
import { BpfProgram } from "../../ffi/bpf_program.ts";
import { RingReader } from "../../ffi/ring.ts";
import type { Judgement } from "../../src/automaton/judgement.ts";
import { formatIpv4, formatMac } from "../../src/base/ipv4.ts";
import { decodeEvent, type DropEvent } from "../../src/bpf/event.ts";
import {
  COUNTER_VALUE_BYTES,
  encodeConfig,
  encodeTable,
  EVENTS_RING_BYTES,
  type LinkRules,
} from "../../src/bpf/layout.ts";
import { diodeProgram } from "../../src/bpf/program.ts";
import { type Reason, REASONS } from "../../src/bpf/reasons.ts";
import type { JudgeLink } from "../judge/link_rules.ts";

/** @returns the rules in the form that the compiler takes. */
export function rulesOf(link: JudgeLink): LinkRules {
  return {
    ...link,
    hostMac: formatMac(Uint8Array.from(link.hostMac)),
    guestMac: formatMac(Uint8Array.from(link.guestMac)),
    hostIp: formatIpv4(Uint8Array.from(link.hostIp)),
    guestIp: formatIpv4(Uint8Array.from(link.guestIp)),
  };
}

export class LoadedDiode implements Disposable {
  readonly program: BpfProgram;
  private readonly counterMap: BpfMap;
  private readonly ring: RingReader;
  private readonly owned = new DisposableStack();

  constructor(judgement: Judgement, link: JudgeLink) {
    using opened = new DisposableStack();
    const frozen = (name: string, value: Uint8Array) => {
      const map = opened.use(
        BpfMap.create({
          kind: "array",
          name,
          valueSize: value.length,
          maxEntries: 1,
          readOnlyForProgram: true,
        }),
      );
      map.write(value);
      map.freeze();
      return map;
    };
    const table = frozen("t_table", encodeTable(judgement.dfa));
    const config = frozen("t_config", encodeConfig(rulesOf(link), judgement));
    const counters = { name: "t_counters", valueSize: COUNTER_VALUE_BYTES, maxEntries: 1 };
    this.counterMap = opened.use(BpfMap.create({ kind: "array", ...counters }));
    const events = opened.use(
      BpfMap.create({
        kind: "ringbuf",
        name: "t_events",
        valueSize: 0,
        maxEntries: EVENTS_RING_BYTES,
      }),
    );
    this.program = opened.use(BpfProgram.load({
      name: "t_diode",
      instructions: diodeProgram({
        table: table.fd,
        config: config.fd,
        counters: this.counterMap.fd,
        events: events.fd,
      }),
    }));
    this.ring = opened.use(new RingReader(events));
    this.owned = opened.move();
  }

  counter(reason: Reason): bigint {
    return this.counters()[reason];
  }

  counters(): Record<Reason, bigint> {
    const value = this.counterMap.read();
    const view = new DataView(value.buffer, value.byteOffset);
    const count = (slot: number) => view.getBigUint64(8 * slot, true);
    return Object.fromEntries(REASONS.map((reason, i) => [reason, count(i)])) as Record<
      Reason,
      bigint
    >;
  }

  /** @returns the events since the last time, in order. */
  events(): DropEvent[] {
    const events: DropEvent[] = [];
    this.ring.drain((record) => events.push(decodeEvent(record)));
    return events;
  }

  [Symbol.dispose](): void {
    this.owned.dispose();
  }
}

/** A test whose FFI opens libraries, which stay open; Deno's sanitiser would call that a leak. */
export function kernelTest(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, fn, sanitizeResources: false });
}
