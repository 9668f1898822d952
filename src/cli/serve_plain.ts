/**
 * `vei serve --model mock|URL`: the monitor, the receipts and the page before a model that does not
 * run in our virtual machine. No root, no kernel gate, and every receipt says so.
 */
import { createApp } from "../api/app.ts";
import { EventHub, type NewGateEvent } from "../api/hub.ts";
import { metricsText } from "../api/metrics.ts";
import { policyStatus } from "../api/policy.ts";
import { Slots } from "../api/slots.ts";
import type { Status } from "../api/status.ts";
import { parseSize } from "../base/bytes.ts";
import type { Config } from "../base/config.ts";
import type { Instance } from "../host/instance.ts";
import type { Model } from "../model/model.ts";
import { startTimeOf } from "../../ffi/process.ts";
import { mountPage } from "../../web/page.tsx";
import { serveApi } from "./api_server.ts";
import { type ConfigSource, type OnHangUp, reloaderOf } from "./daemon_reload.ts";
import { removeEndpoint, writeEndpoint } from "./endpoint.ts";
import type { Level, Log } from "./log.ts";
import type { OpenNode } from "./node.ts";
import type { Service } from "./service.ts";
import { VERSION } from "./version.ts";

/** Runs at once; a remote server has slots of its own. */
const SLOTS = 4;

export interface PlainParts {
  instance: Instance;
  config: Config;
  source: ConfigSource;
  model: Model;
  node: OpenNode;
  log: Log;
  service: Service;
  onHangUp: OnHangUp;
  stop: AbortSignal;
}

/** Serves until `stop` is aborted. @throws VeiError `port-taken`. */
export async function servePlain(parts: PlainParts): Promise<void> {
  const { instance, config, model, node, log, service, stop } = parts;
  const hub = new EventHub();
  const started = new Date().toISOString();
  const onError = (message: string) => log("error", `API: ${message}`);
  let phase: Status["phase"] = "ready";
  const status = (): Status => ({
    instance: instance.name,
    version: VERSION,
    phase,
    pid: Deno.pid,
    started,
    listen: api.listen,
    diode: null,
    enclave: null,
    policy: policyStatus(node),
    reload: reloader.status(),
    receipts: node.store.count,
    events: hub.latest(64),
  });
  const slots = new Slots(SLOTS, config.api.max_queue);
  const publish = (event: NewGateEvent, level: Level = "info") => {
    const { id, kind, message } = hub.publish(event);
    log(level, message, { event: id, kind });
  };
  const reloader = reloaderOf({
    ...parts,
    plan: null,
    slots,
    publish,
    standing: () => ({ model, kernel: null, diode: null }),
  });
  const metrics = () =>
    metricsText({
      status: status(),
      exchanges: node.totals,
      slots,
      residentBytes: Deno.memoryUsage().rss,
      gate: null,
      boots: null,
    });
  const app = createApp({
    hosts: () => reloader.current.config.api.hosts,
    hub,
    status,
    metrics,
    onError,
    chat: {
      node,
      slots,
      maxBody: () => parseSize(reloader.current.config.api.max_body),
      modelName: model.name,
      backend: () => ({ model, kernel: null }),
      onError,
    },
    page: mountPage,
  });
  const api = serveApi(app, config.api.listen, `${instance.run}/api.sock`);
  try {
    const startTime = startTimeOf(Deno.pid)!;
    await writeEndpoint(instance, { pid: Deno.pid, startTime, listen: api.listen });
    const message = `serving the model ${model.name} without virtual machine and kernel gate`;
    hub.publish({ time: started, kind: "daemon", message });
    log("info", `${message}, on http://${api.listen}`);
    service.ready(`${message}, on http://${api.listen}`);
    reloader.open();
    // There is no gate to watch: the event loop's own life has to do.
    const beat = setInterval(() => service.looked(), 1000);
    await new Promise<void>((resolve) => {
      if (stop.aborted) resolve();
      stop.addEventListener("abort", () => resolve(), { once: true });
    });
    clearInterval(beat);
  } finally {
    phase = "stopping";
    service.stopping("stopping");
    await reloader.close();
    hub.close();
    await api.stop();
    await removeEndpoint(instance);
  }
}
