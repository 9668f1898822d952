/** The daemon's hold on the diode: it raises it, reads its events and watches it with its link. */
import type { Backend } from "../api/chat.ts";
import type { Node } from "../api/exchange.ts";
import type { NewGateEvent } from "../api/hub.ts";
import { type Incident, recordIncident } from "../api/incident.ts";
import type { MetricsSnapshot } from "../api/metrics.ts";
import { equalBytes } from "../base/bytes.ts";
import type { Config } from "../base/config.ts";
import { messageOf } from "../base/errors.ts";
import { decodeEvent } from "../bpf/event.ts";
import type { Instance } from "../host/instance.ts";
import { raiseDiode } from "../../diodes/manager.ts";
import type { ProvenDiode } from "../../diodes/proof.ts";
import { watchGuard } from "../../diodes/watch.ts";
import { checkLink, type Link } from "../../enclave/link.ts";
import { monotonicNs } from "../../ffi/clock.ts";
import { setUp } from "../../ffi/netdev.ts";
import { LinkEvents } from "../../ffi/rtnetlink.ts";
import { DropReporter } from "./gate_events.ts";
import { Incidents } from "./incidents.ts";
import { FlowWatches } from "./kernel_gate.ts";
import type { Level, Log } from "./log.ts";
import { RaisedDiode } from "./raised_diode.ts";

export interface GateParts {
  instance: Instance;
  config: Pick<Config, "link">;
  node: Node;
  /** What stands behind the gate; null while nothing does. */
  backend(): Backend | null;
  /** Takes what people should know. */
  publish(event: NewGateEvent, level?: Level): void;
  log: Log;
  /** Called each time that diode and link were found as they were raised. */
  onChecked(): void;
}

/** All of it runs in the link namespace. */
export class Gate implements Disposable {
  readonly flows = new FlowWatches(() => performance.now());
  private readonly incidents = new Incidents(() => performance.now());
  /** Of the present diode's drops, those that are known to have no event. */
  private unrecorded = 0;
  private readonly drops = new DropReporter({ wallMs: Date.now, monotonicNs });
  private present: RaisedDiode | null = null;
  /** Replaced, and their rings still waited for. */
  private readonly former: RaisedDiode[] = [];
  /** Drops of theirs that have no entry yet, with what stood behind the gate then. */
  private readonly left: { behind: Backend; incident: Incident }[] = [];
  private link: Link | null = null;
  private checks = 0;
  private goodCheck: number | null = null;

  constructor(private readonly parts: GateParts) {}

  /** The diode in force; null until it is on the link. */
  get diode(): RaisedDiode | null {
    return this.present;
  }

  /** How often all was as it should be, when last, and what was too much to tell. */
  get metrics(): Omit<NonNullable<MetricsSnapshot["gate"]>, "connections"> {
    return {
      eventsSuppressed: this.drops.suppressed,
      incidentsSuppressed: this.incidents.suppressed,
      checks: this.checks,
      goodCheckAge: this.goodCheck === null ? null : (performance.now() - this.goodCheck) / 1000,
    };
  }

  /** Puts the diode on the link, reads all of it back, and sets the tap up behind it. */
  raise(plan: ProvenDiode, link: Link): void {
    const { instance } = this.parts;
    const guard = raiseDiode({ plan, ifindex: link.ifindex, pins: instance.pins });
    this.present = new RaisedDiode(guard, plan);
    this.link = link;
    const { ids, adopted } = guard;
    const how = adopted ? "adopted, still pinned" : "attached and pinned";
    this.say(`diode ${plan.name} ${how}: link ${ids.link}, program ${ids.program}`);
    this.drain();
    guard.check();
    setUp(instance.tap, true);
    this.say(`tap up behind the diode`);
  }

  /**
   * Puts another diode in the present one's place while frames pass: each meets the one or the
   * other. What runs goes on, with the flows that it has.
   * @throws VeiError: then the present one still stands as it did; but `diode-lost`: it does not.
   */
  replace(plan: ProvenDiode): void {
    const before = this.present!;
    const { table, config } = before.plan;
    if (equalBytes(plan.table, table) && equalBytes(plan.config, config)) {
      // The kernel has it already; the file says the same in other words.
      before.plan = plan;
      return;
    }
    const { pins } = this.parts.instance;
    let guard;
    try {
      guard = raiseDiode({ plan, ifindex: this.link!.ifindex, pins });
    } catch (cause) {
      before.guard.check();
      throw cause;
    }
    this.drain();
    const behind = this.parts.backend();
    if (behind) {
      this.left.push(...this.incidents.due(true).map((incident) => ({ behind, incident })));
    }
    const next = new RaisedDiode(guard, plan);
    before.replacedBy(next);
    this.former.push(before);
    this.present = next;
    const { link, program } = guard.ids;
    this.say(
      `diode ${plan.name} in place of ${before.plan.name}: link ${link}, program ${program}`,
    );
  }

  /** Reads the kernel's events until `signal` is aborted. */
  async read(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.present!.guard.ring.wait(200);
      this.drain();
      // Nobody waits for their rings any more.
      for (const diode of this.former.splice(0)) diode[Symbol.dispose]();
      await this.recordIncidents();
    }
  }

  /** Looks after diode and link until `signal` is aborted, or one of them is not as it was. */
  async watch(link: Link, signal: AbortSignal, onLost: (cause: unknown) => void): Promise<void> {
    const { instance, config } = this.parts;
    using events = new LinkEvents();
    await watchGuard({
      guard: { check: () => this.present!.guard.check() },
      events,
      signal,
      extra: () => {
        checkLink(instance, config.link, link);
        this.checks++;
        this.goodCheck = performance.now();
        this.parts.onChecked();
      },
      onLost,
    });
  }

  private drain(): void {
    for (const { guard } of [...this.former, this.present!]) {
      guard.ring.drain((record) => {
        const drop = decodeEvent(record);
        if (!this.flows.notify(drop)) this.incidents.add(drop);
        const event = this.drops.report(drop);
        if (event) this.parts.publish(event);
      });
    }
    this.tellUnrecorded();
  }

  /** The ring may be full, when a guest floods: then drops are counted, and that is all. */
  private tellUnrecorded(): void {
    const lost = this.present!.counters().events_lost ?? 0;
    const more = lost - this.unrecorded;
    this.unrecorded = lost;
    if (more <= 0) return;
    this.say(
      `${more} more drops were counted, but the full event ring took no note of them; ` +
        "a guest that floods is best ended: vei enclave restart",
      "warn",
    );
  }

  /** Entries for drops outside of requests, once it is known what stands behind the gate. */
  private async recordIncidents(): Promise<void> {
    for (const { behind, incident } of this.left.splice(0)) await this.record(behind, incident);
    const behind = this.parts.backend();
    if (!behind) return;
    for (const incident of this.incidents.due()) await this.record(behind, incident);
  }

  private async record({ model, kernel }: Backend, incident: Incident): Promise<void> {
    if (!kernel) return;
    try {
      const id = await recordIncident(this.parts.node, { model, kernel }, incident);
      this.say(`recorded drops outside of a request, receipt ${id}`, "warn");
    } catch (cause) {
      this.parts.log("error", `cannot record an incident: ${messageOf(cause)}`);
    }
  }

  private say(message: string, level: Level = "info"): void {
    this.parts.publish({ time: new Date().toISOString(), kind: "diode", message }, level);
  }

  /** The diode stays pinned. */
  [Symbol.dispose](): void {
    for (const diode of this.former) diode[Symbol.dispose]();
    this.present?.[Symbol.dispose]();
  }
}
