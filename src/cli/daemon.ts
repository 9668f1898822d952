/**
 * The daemon: it makes the link, puts the diode on it, boots the enclave behind it and watches all
 * three. Whatever goes wrong, the tap goes down before anything else.
 *
 * Start: lock, image and model checked, API listener in the box's namespace, link, setns, diode
 * pinned and read back, tap up, QEMU, ready. Stop: API, QEMU, tap down; the diode stays pinned.
 */
import { createApp } from "../api/app.ts";
import { Histogram } from "../api/exposition.ts";
import { EventHub, type GateEvent } from "../api/hub.ts";
import { metricsText } from "../api/metrics.ts";
import type { Phase, Status } from "../api/status.ts";
import type { Backend } from "../api/chat.ts";
import type { ReloadedNode } from "../api/reload_entry.ts";
import { Slots } from "../api/slots.ts";
import { parseSize, sha256 } from "../base/bytes.ts";
import { canonicalJson } from "../base/canonical.ts";
import type { Config } from "../base/config.ts";
import { messageOf, VeiError } from "../base/errors.ts";
import type { Instance } from "../host/instance.ts";
import type { ProvenDiode } from "../../diodes/proof.ts";
import type { GuestImage } from "../../enclave/images.ts";
import { type Link, prepareLink, removeLink } from "../../enclave/link.ts";
import type { Model } from "../../enclave/models.ts";
import { endOrphan } from "../../enclave/orphan.ts";
import { Enclave } from "../../enclave/supervisor.ts";
import { interfaceIndex, setUp } from "../../ffi/netdev.ts";
import { enterNetns, netnsExists, withNetns } from "../../ffi/netns.ts";
import { startTimeOf } from "../../ffi/process.ts";
import { linkState } from "../../ffi/rtnetlink.ts";
import { mountPage } from "../../web/page.tsx";
import { type ApiServer, serveApi } from "./api_server.ts";
import { type ConfigSource, type OnHangUp, reloaderOf } from "./daemon_reload.ts";
import { daemonStatus } from "./daemon_status.ts";
import { behindTheGate, GuestConnections } from "./enclave_backend.ts";
import { removeEndpoint, writeEndpoint } from "./endpoint.ts";
import { Gate } from "./gate.ts";
import type { InForce } from "./in_force.ts";
import { diodeSetting } from "./kernel_gate.ts";
import type { Level, Log } from "./log.ts";
import type { OpenNode } from "./node.ts";
import { type Reloader, stopping } from "./reloader.ts";
import type { Service } from "./service.ts";

export interface DaemonParts {
  instance: Instance;
  /** As it is at the start; a reload may change the keys that are named in `in_force.ts`. */
  config: Config;
  source: ConfigSource;
  plan: ProvenDiode;
  image: GuestImage;
  model: Model;
  node: OpenNode;
  /** What `qemu-system-x86_64 --version` says, its first line. */
  qemuVersion: string;
  log: Log;
  /** Who may have started us: told of readiness, of the watch's life, of the end. */
  service: Service;
  onHangUp: OnHangUp;
  /** Aborted by SIGTERM and SIGINT. */
  stop: AbortSignal;
}

/** Back-off between boots of an enclave that keeps ending. */
const BACKOFF_MS = [0, 1000, 2000, 5000, 10_000, 30_000];
/** Under emulation a boot takes ten seconds or some more, with KVM two. */
const BOOT_BOUNDS = [1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180];

export class Daemon {
  private readonly hub = new EventHub();
  private readonly slots: Slots;
  private backend: Backend | null = null;
  private readonly connections: GuestConnections;
  private readonly gate: Gate;
  private readonly reloader: Reloader;
  private readonly started = new Date().toISOString();
  private readonly lost = Promise.withResolvers<never>();
  private phase: Phase = "starting";
  private api: ApiServer | null = null;
  private link: Link | null = null;
  private enclave: Enclave | null = null;
  private attempt = 0;
  private restarts = 0;
  private bootSeconds: number | null = null;
  /** SHA-256 of the running QEMU's program and arguments. */
  private qemuArguments = "";
  private readonly boots = { attempts: 0, seconds: new Histogram(BOOT_BOUNDS) };
  private restart = Promise.withResolvers<"restart">();
  private booting: Promise<unknown> = Promise.resolve();
  /** Ends a boot that is under way. */
  private readonly halt = new AbortController();

  constructor(private readonly parts: DaemonParts) {
    // The server in the guest works on one request at a time.
    this.slots = new Slots(1, parts.config.api.max_queue);
    this.connections = new GuestConnections(parts.config.link);
    this.gate = new Gate({
      ...parts,
      backend: () => this.backend,
      publish: (event, level) => this.publish(event, level),
      onChecked: () => parts.service.looked(),
    });
    this.reloader = reloaderOf({
      ...parts,
      slots: this.slots,
      publish: (event, level) => this.publish(event, level),
      standing: () => this.standing(),
      switchTo: (after) => this.switchTo(after),
    });
    // It is awaited in races only; a loss while nobody races must not end the process unexplained.
    this.lost.promise.catch(() => {});
  }

  /** Ends the virtual machine; the daemon boots a new one behind the same gate. */
  restartEnclave(): void {
    this.restart.resolve("restart");
  }

  /**
   * Runs until `stop` is aborted. The caller holds the instance's lock.
   * @throws VeiError when it cannot start, or when the gate is lost.
   */
  async run(): Promise<void> {
    const { instance, config, stop } = this.parts;
    this.api = serveApi(
      createApp({
        hosts: () => this.reloader.current.config.api.hosts,
        hub: this.hub,
        status: () => this.status(),
        metrics: () => this.metrics(),
        onError: (message) => this.parts.log("error", `API: ${message}`),
        chat: {
          node: this.parts.node,
          slots: this.slots,
          maxBody: () => parseSize(this.reloader.current.config.api.max_body),
          modelName: this.parts.model.name,
          backend: () => this.phase === "ready" ? this.backend : null,
          onError: (message) => this.parts.log("error", `API: ${message}`),
        },
        page: mountPage,
      }),
      config.api.listen,
      `${instance.run}/api.sock`,
    );
    const background = new AbortController();
    const running: Promise<void>[] = [];
    try {
      await writeEndpoint(instance, {
        pid: Deno.pid,
        startTime: startTimeOf(Deno.pid)!,
        listen: this.api.listen,
      });
      await this.raise();
      const { signal } = background;
      running.push(
        this.gate.read(signal),
        this.gate.watch(this.link!, signal, (cause) => this.onLost(cause)),
      );
      this.reloader.open();
      await this.serve(stop);
    } finally {
      await this.reloader.close();
      await this.stopServing();
      // The watch must not take the tap going down for a loss.
      background.abort();
      await Promise.all(running);
      if (this.link) this.letGo(this.link);
      this.gate[Symbol.dispose]();
    }
  }

  /** Link and diode, up to the tap going up. */
  private async raise(): Promise<void> {
    const { instance, config, plan } = this.parts;
    // What an earlier daemon left: its tap goes down first, then its QEMU ends.
    if (netnsExists(instance.netns)) withNetns(instance.netns, () => setDownIfTap(instance.tap));
    const orphan = await endOrphan(instance);
    if (orphan !== null) this.say("enclave", `ended the orphaned QEMU, pid ${orphan}`);
    this.link = prepareLink(instance, config.link);
    enterNetns(instance.netns);
    this.gate.raise(plan, this.link);
  }

  /** Fails closed, loudest thing first: nothing passes a tap that is down. */
  private onLost(cause: unknown): void {
    this.phase = "gate-lost";
    try {
      setDownIfThere(this.parts.instance.tap);
    } catch (error) {
      this.parts.log("error", `cannot set the tap down: ${messageOf(error)}`);
    }
    this.halt.abort();
    this.enclave?.kill("the gate was lost");
    const words = `GATE LOST: ${messageOf(cause)}; tap down, virtual machine killed`;
    this.say("diode", words, "error");
    this.parts.service.stopping(words);
    this.lost.reject(cause);
  }

  private async serve(stop: AbortSignal): Promise<void> {
    const stopped = new Promise<"stop">((resolve) => {
      if (stop.aborted) resolve("stop");
      stop.addEventListener("abort", () => resolve("stop"), { once: true });
    });
    for (let failures = 0;;) {
      const boot = this.boot();
      this.booting = boot.catch(() => {});
      const why = await Promise.race([boot, stopped, this.lost.promise]);
      if (why === "stop") return;
      const enclave = why;
      const ready = performance.now();
      this.phase = "ready";
      this.parts.service.ready(`ready on http://${this.api!.listen}`);
      const end = await Promise.race([
        enclave.ended.then((how) => `the virtual machine ended: ${how}`),
        this.restart.promise,
        stopped,
        this.lost.promise,
      ]);
      if (end === "stop") return;
      this.phase = "restarting";
      this.restarts++;
      failures = end === "restart" || performance.now() - ready > 60_000 ? 0 : failures + 1;
      if (end === "restart") this.restart = Promise.withResolvers();
      const words = end === "restart" ? "restarting the enclave on request" : end;
      this.say("enclave", words, "warn");
      this.parts.service.status(words);
      await this.endEnclave();
      const pause = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)];
      const again = await Promise.race([sleep(pause), stopped, this.lost.promise]);
      if (again === "stop") return;
    }
  }

  /** Boots until ready; the supervisor tries several times. */
  private async boot(): Promise<Enclave> {
    const { instance, config, image, model } = this.parts;
    this.phase = this.restarts === 0 ? "booting" : "restarting";
    const begun = performance.now();
    let last = 0;
    this.enclave = await Enclave.boot({
      instance,
      config,
      image,
      model,
      tap: this.link!.tap,
      signal: this.halt.signal,
      onAttempt: (attempt, text) => {
        this.attempt = attempt;
        if (attempt > last) this.boots.attempts++;
        last = attempt;
        this.say("enclave", text);
        this.parts.service.starting(text);
      },
    });
    const seconds = (performance.now() - begun) / 1000;
    this.bootSeconds = Math.round(seconds * 10) / 10;
    this.boots.seconds.observe(seconds);
    const words = canonicalJson(this.enclave.qemuCommand);
    this.qemuArguments = await sha256(new TextEncoder().encode(words));
    this.backend = this.behindTheGate(this.reloader.current.config);
    this.say("enclave", `ready after ${this.bootSeconds} s, QEMU's pid ${this.enclave.pid}`);
    return this.enclave;
  }

  private behindTheGate(config: Config): Backend {
    return behindTheGate({
      ...this.parts,
      config,
      qemu: { version: this.parts.qemuVersion, argumentsSha256: this.qemuArguments },
      diode: this.gate.diode!,
      flows: this.gate.flows,
      connections: this.connections,
    });
  }

  private standing(): ReloadedNode {
    const { name, digest } = this.parts.model;
    return {
      model: { kind: "enclave", name, sha256: digest },
      kernel: this.backend?.kernel ?? null,
      diode: diodeSetting(this.gate.diode!.plan),
    };
  }

  /** All of it in one turn: whoever asks next meets all that is new, or nothing. */
  private switchTo({ config, diode }: InForce): void {
    if (this.phase === "gate-lost" || this.phase === "stopping") throw stopping();
    try {
      this.gate.replace(diode!);
    } catch (cause) {
      if (cause instanceof VeiError && cause.code === "diode-lost") this.onLost(cause);
      throw cause;
    }
    if (this.backend) this.backend = this.behindTheGate(config);
  }

  private async endEnclave(): Promise<void> {
    this.backend = null;
    this.connections.closeAll();
    await this.booting;
    const { enclave } = this;
    this.enclave = null;
    await enclave?.stop();
  }

  private async stopServing(): Promise<void> {
    if (this.phase !== "gate-lost") this.phase = "stopping";
    this.parts.service.stopping("stopping");
    const { instance } = this.parts;
    this.hub.close();
    await this.api?.stop();
    this.halt.abort();
    await this.endEnclave();
    await removeEndpoint(instance);
  }

  /** The tap goes down; what a failed start has made is taken away again. */
  private letGo(link: Link): void {
    const { instance } = this.parts;
    setDownIfThere(instance.tap);
    link[Symbol.dispose]();
    if (this.gate.diode || !link.made) return;
    removeLink(instance);
  }

  private say(kind: GateEvent["kind"], message: string, level: Level = "info"): void {
    this.publish({ time: new Date().toISOString(), kind, message }, level);
  }

  private publish(event: Omit<GateEvent, "id">, level: Level = "info"): void {
    const { id, kind, message } = this.hub.publish(event);
    this.parts.log(level, message, { event: id, kind });
  }

  status(): Status {
    const { phase, started, hub, enclave, attempt, bootSeconds, restarts } = this;
    return daemonStatus({
      ...this.parts,
      ...{ phase, started, hub, enclave, attempt, bootSeconds, restarts },
      listen: this.api?.listen ?? "",
      diode: this.gate.diode,
      reload: this.reloader.status(),
    });
  }

  private metrics(): string {
    return metricsText({
      status: this.status(),
      exchanges: this.parts.node.totals,
      slots: this.slots,
      residentBytes: Deno.memoryUsage().rss,
      gate: { ...this.gate.metrics, connections: this.connections.counts },
      boots: this.boots,
    });
  }
}

/** What is no tap is not ours: prepareLink says so, and it stays as it is. */
function setDownIfTap(name: string): void {
  if (linkState(name)?.tun?.tap) setUp(name, false);
}

function setDownIfThere(name: string): void {
  if (interfaceIndex(name) !== 0) setUp(name, false);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
