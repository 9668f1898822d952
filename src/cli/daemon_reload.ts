/** Reloads as both kinds of daemon do them, with a virtual machine and without. */
import type { Instance } from "../host/instance.ts";
import type { NewGateEvent } from "../api/hub.ts";
import { beginReload, type ReloadedNode } from "../api/reload_entry.ts";
import type { Slots } from "../api/slots.ts";
import type { Reloaded } from "../api/status.ts";
import type { Config } from "../base/config.ts";
import { configuredDiode, configuredPolicies } from "./configured.ts";
import type { InForce } from "./in_force.ts";
import { readConfig } from "./load_config.ts";
import type { Level, Log } from "./log.ts";
import type { OpenNode } from "./node.ts";
import { Reloader } from "./reloader.ts";
import type { Service } from "./service.ts";

/** The configuration file that the daemon was started with. */
export interface ConfigSource {
  path: string;
  /** It was named on the command line: it has to be there. */
  named: boolean;
  /** SHA-256 of it as it was read; null where there was none. */
  sha256: string | null;
}

/** Hands SIGHUP on to whoever can reload, once that is known. */
export type OnHangUp = (take: () => void) => void;

/**
 * To be called first of all: by default the signal ends the process. One that came too early is not
 * forgotten.
 */
export function listenForHangUp(): OnHangUp {
  let early = false;
  let taker: (() => void) | null = null;
  Deno.addSignalListener("SIGHUP", () => {
    if (taker) taker();
    else early = true;
  });
  return (take) => {
    taker = take;
    if (early) take();
  };
}

export interface ReloadParts {
  instance: Instance;
  source: ConfigSource;
  config: Config;
  /** The diode that is raised at the start; null for a daemon without one. */
  plan: InForce["diode"];
  node: OpenNode;
  slots: Slots;
  log: Log;
  service: Service;
  onHangUp: OnHangUp;
  publish(event: NewGateEvent, level?: Level): void;
  /** What stands now, for the entry in the log. */
  standing(): ReloadedNode;
  /** Changes what else there is to change. @throws VeiError: then it is as it was before. */
  switchTo?(after: InForce): void;
}

/** @returns the reloader, to be opened when the daemon is able to change anything. */
export function reloaderOf(parts: ReloadParts): Reloader {
  const { instance, source, config, plan, node, slots, log, service } = parts;
  const say = (message: string, level: Level) =>
    parts.publish({ time: new Date().toISOString(), kind: "daemon", message }, level);
  const reloader = new Reloader(
    {
      path: source.path,
      async read(before) {
        // A file that is gone is a mistake, not a wish for the defaults.
        const mustExist = source.named || before.configSha256 !== null;
        const { config, sha256 } = await readConfig(source.path, { mustExist });
        return {
          config,
          configSha256: sha256,
          ...await configuredPolicies(config, instance.state),
          diode: plan && await configuredDiode(config),
        };
      },
      begin: (reload) => beginReload(node, parts.standing(), reload),
      switchTo(after) {
        parts.switchTo?.(after);
        node.usePolicies(after);
        slots.maxQueue = after.config.api.max_queue;
        log.least = after.config.log.level;
      },
      onBegin: () => service.reloading(),
      onEnd(result) {
        const { words, level } = wordsOf(result);
        say(words, level);
        service.reloaded(words);
      },
      now: () => new Date(),
    },
    {
      config,
      configSha256: source.sha256,
      policy: node.policy,
      allowed: node.allowed,
      diode: plan,
    },
  );
  parts.onHangUp(() => reloader.request());
  return reloader;
}

/** @returns how a reload ended, for the log. */
export function wordsOf(
  { outcome, change, generation, receipt, error }: Reloaded,
): { words: string; level: Level } {
  switch (outcome) {
    case "applied": {
      const words = `configuration reloaded (${change!.changed.join(", ")}), ` +
        `generation ${generation}, receipt ${receipt}`;
      if (error === null) return { words, level: "info" };
      return { words: `${words}, which could not be ended: ${error.message}`, level: "error" };
    }
    case "unchanged":
      return { words: "configuration read again: nothing has changed", level: "info" };
    case "refused":
      return {
        words: `reload refused, nothing was changed: ${error!.message} [${error!.code}]`,
        level: "error",
      };
  }
}
