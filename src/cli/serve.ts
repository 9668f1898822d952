/** `vei serve`: the daemon in the foreground. */
import { Exit, messageOf } from "../base/errors.ts";
import { currentImage } from "../../enclave/images.ts";
import { modelByName } from "../../enclave/models.ts";
import { requireDescriptors } from "../host/descriptors.ts";
import { checkFormat } from "../store/format.ts";
import type { Command } from "./command.ts";
import { configuredDiode } from "./configured.ts";
import { Daemon } from "./daemon.ts";
import { lockInstance } from "./instance_lock.ts";
import { listenForHangUp } from "./daemon_reload.ts";
import { CONFIG_OPTION, configPlace, readConfig } from "./load_config.ts";
import { type Log, makeLog } from "./log.ts";
import { type OpenNode, openNode } from "./node.ts";
import { MODEL_OPTIONS, plainModel } from "./plain_model.ts";
import { servePlain } from "./serve_plain.ts";
import { openService } from "./service.ts";
import { mustRun } from "../host/run.ts";
import { requireMachine } from "./needs.ts";
import { requireSteering } from "./privilege.ts";

/** A line in the log after so many: some seconds' worth, a multiple of what the store tells. */
const TOLD_RECEIPTS = 8 * 1024;

export const command: Command = {
  name: "serve",
  summary: "run the enclave behind its gate, until stopped",
  usage: "[--config FILE] [--model mock|URL]",
  example: "sudo vei serve",
  options: {
    ...MODEL_OPTIONS,
    ...CONFIG_OPTION,
  },
  async run({ instance, options, terminal }) {
    const plain = plainModel(options);
    if (!plain) requireSteering("vei serve (with a virtual machine)");
    const onHangUp = listenForHangUp();
    const { path, named } = configPlace({ instance, options });
    const { config, sha256 } = await readConfig(path, { mustExist: named });
    const source = { path, named, sha256 };
    const log = makeLog(terminal, config.log.level, () => new Date());
    const service = openService(Deno.env.get("NOTIFY_SOCKET"), log);
    requireDescriptors();
    using _lock = lockInstance(instance);
    checkFormat(instance.state);
    const stop = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => stop.abort());
    }
    const notice = (message: string) => log("warn", message);
    // Every start checks every receipt; a service manager is not to give up on many of them.
    const checked = (count: number) => {
      service.starting(`checking the receipts: ${count} so far`);
      if (count % TOLD_RECEIPTS === 0) log("info", `checking the receipts: ${count} so far`);
    };
    if (plain) {
      await using node = await openNode(instance, config, notice, checked);
      tellSettled(node, log);
      await servePlain({
        ...{ instance, config, source, model: plain, node, log, service, onHangUp },
        stop: stop.signal,
      });
      return Exit.ok;
    }
    const plan = await configuredDiode(config);
    await requireMachine(instance);
    const image = await currentImage(instance.state);
    const model = await modelByName(instance.state, config.enclave.model, { check: true });
    const [qemuVersion] = (await mustRun("qemu-system-x86_64", ["--version"])).split("\n");
    await using node = await openNode(instance, config, notice, checked);
    tellSettled(node, log);
    const daemon = new Daemon({
      ...{ instance, config, source, plan, image, model, node, qemuVersion, log, service },
      onHangUp,
      stop: stop.signal,
    });
    Deno.addSignalListener("SIGUSR1", () => daemon.restartEnclave());
    try {
      await daemon.run();
    } catch (cause) {
      service.status(`failed: ${messageOf(cause)}`);
      throw cause;
    }
    return Exit.ok;
  },
};

function tellSettled({ settled }: OpenNode, log: Log): void {
  if (settled > 0) log("warn", `wrote ${settled} receipts of exchanges that were interrupted`);
}
