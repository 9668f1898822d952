/** `vei diode status | logs | detach`: the gate in the kernel, with or without a daemon. */
import { DropReporter } from "./gate_events.ts";
import type { GateEvent } from "../api/hub.ts";
import { Exit, VeiError } from "../base/errors.ts";
import { decodeEvent } from "../bpf/event.ts";
import { detachDiode, openEvents, readDiode } from "../../diodes/manager.ts";
import { interfaceIndex, setUp } from "../../ffi/netdev.ts";
import { monotonicNs } from "../../ffi/clock.ts";
import { netnsExists, withNetns } from "../../ffi/netns.ts";
import { RingReader } from "../../ffi/ring.ts";
import type { Instance } from "../host/instance.ts";
import type { Command, CommandContext } from "./command.ts";
import { fetchStatus, findEndpoint, followEvents } from "./endpoint.ts";
import { lockInstance } from "./instance_lock.ts";
import { requireRoot } from "./privilege.ts";

function noDiode(instance: Instance): VeiError {
  return new VeiError({
    code: "diode-absent",
    message: `No diode of the instance ${instance.name} is pinned`,
    hint: "`vei serve` attaches one before it starts the virtual machine",
    exit: Exit.noInput,
  });
}

const status: Command = {
  name: "diode status",
  summary: "what the kernel itself shows of the pinned diode; needs no daemon",
  example: "sudo vei diode status",
  run({ instance, json, terminal }) {
    requireRoot("vei diode status");
    const diode = readDiode(instance.pins);
    if (!diode) throw noDiode(instance);
    if (json) {
      terminal.json(diode);
      return Promise.resolve(Exit.ok);
    }
    const attached = diode.ifindex === 0
      ? "to nothing: its interface is gone"
      : `to interface ${diode.ifindex}`;
    terminal.out(
      `link ${diode.linkId}, program ${diode.programId} (tag ${diode.tag}), attached ${attached}`,
    );
    terminal.out(`table  sha256:${diode.digests.table}`);
    terminal.out(`config sha256:${diode.digests.config}`);
    for (const [reason, count] of Object.entries(diode.counters)) {
      if (count > 0) terminal.out(`  ${reason.padEnd(20)} ${count}`);
    }
    return Promise.resolve(Exit.ok);
  },
};

const logs: Command = {
  name: "diode logs",
  summary: "what the gate stopped, as it happens",
  usage: "[-f]",
  example: "sudo vei diode logs -f",
  options: { follow: { type: "boolean", short: "f", describe: "go on with what comes" } },
  async run(context) {
    const endpoint = await findEndpoint(context.instance);
    if (!endpoint) return await readRing(context);
    const stop = untilInterrupted();
    const follow = context.options.follow === true;
    // Without -f: the kept ones only, so end at the number that was the last when we began.
    const last = follow ? Infinity : (await fetchStatus(endpoint)).events.at(-1)?.id ?? 0;
    if (last === 0) return Exit.ok;
    for await (const event of followEvents(endpoint, { after: 0, signal: stop.signal })) {
      print(context, event);
      if (event.id >= last) break;
    }
    stop.abort();
    return Exit.ok;
  },
};

function print({ json, terminal }: CommandContext, event: GateEvent): void {
  if (json) terminal.write(JSON.stringify(event) + "\n");
  else terminal.out(`${event.time} ${event.kind.padEnd(7)} ${event.message}`);
}

/** Waits. @returns true. */
function pause(ms: number): Promise<true> {
  return new Promise((resolve) => setTimeout(() => resolve(true), ms));
}

function untilInterrupted(): AbortController {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  return stop;
}

/** Without a daemon: we look into the ring ourselves; what is in it stays for the next daemon. */
async function readRing(context: CommandContext): Promise<number> {
  const { instance, options } = context;
  requireRoot("vei diode logs without a daemon");
  using _lock = lockInstance(instance);
  using map = openEvents(instance.pins);
  if (!map) throw noDiode(instance);
  using ring = new RingReader(map, { consume: false });
  const reporter = new DropReporter({ wallMs: Date.now, monotonicNs });
  const stop = untilInterrupted();
  let id = 0;
  do {
    ring.drain((record) => {
      const event = reporter.report(decodeEvent(record));
      if (event) print(context, { id: ++id, ...event });
    });
  } while (options.follow === true && !stop.signal.aborted && await pause(500));
  return Exit.ok;
}

const detach: Command = {
  name: "diode detach",
  summary: "take the diode away; refused while a daemon runs, and the tap goes down first",
  example: "sudo vei diode detach",
  run({ instance, terminal }) {
    requireRoot("vei diode detach");
    using _lock = lockInstance(instance);
    if (!readDiode(instance.pins)) throw noDiode(instance);
    // Never an open gate: nothing can pass a tap that is down.
    if (netnsExists(instance.netns)) {
      withNetns(instance.netns, () => {
        if (interfaceIndex(instance.tap) !== 0) setUp(instance.tap, false);
      });
    }
    detachDiode(instance.pins);
    terminal.out(`The diode of ${instance.name} is detached; its tap is down`);
    return Promise.resolve(Exit.ok);
  },
};

export const commands: readonly Command[] = [status, logs, detach];
