/** `vei diode status | logs`: the gate in the kernel, with or without a daemon. */
import { Exit } from "../base/errors.ts";
import { openEvents, readDiode } from "../../diodes/manager.ts";
import { RingReader } from "../../ffi/ring.ts";
import type { Command, CommandContext } from "./command.ts";
import { command as attach } from "./diode_attach.ts";
import { command as detach } from "./diode_detach.ts";
import { noDiode } from "./diode_output.ts";
import { command as prove } from "./diode_prove.ts";
import { commands as shown } from "./diode_show.ts";
import { command as tryDiode } from "./diode_try.ts";
import { command as verify } from "./diode_verify.ts";
import { guardedInterface } from "./diode_place.ts";
import { findEndpoint } from "./endpoint.ts";
import { dropPrinter, pause, untilInterrupted } from "./event_output.ts";
import { showEvents } from "./logs.ts";
import { lockInstance } from "./instance_lock.ts";
import { requireRoot } from "./privilege.ts";

const status: Command = {
  name: "diode status",
  summary: "what the kernel itself shows of the pinned diode; needs no daemon",
  example: "sudo vei diode status",
  run({ instance, json, terminal }) {
    requireRoot("vei diode status");
    const diode = readDiode(instance.pins);
    if (!diode) throw noDiode(instance);
    const place = guardedInterface(instance, diode);
    if (json) {
      terminal.json({ ...diode, interface: place?.name ?? null });
      return Promise.resolve(Exit.ok);
    }
    const attached = diode.ifindex === 0
      ? "to nothing: its interface is gone"
      : `to ${place?.name ?? `interface ${diode.ifindex} of another network namespace`}`;
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
    return await showEvents(context, endpoint, {
      follow: context.options.follow === true,
      wanted: ({ kind }) => kind === "drop" || kind === "diode",
    });
  },
};

/** Without a daemon: we look into the ring ourselves; what is in it stays for the next daemon. */
async function readRing(context: CommandContext): Promise<number> {
  const { instance, options } = context;
  requireRoot("vei diode logs without a daemon");
  using _lock = lockInstance(instance);
  using map = openEvents(instance.pins);
  if (!map) throw noDiode(instance);
  using ring = new RingReader(map, { consume: false });
  const tell = dropPrinter(context, ring);
  const stop = untilInterrupted();
  for (;;) {
    tell();
    if (options.follow !== true || stop.signal.aborted || context.terminal.gone()) return Exit.ok;
    await pause(500, stop.signal);
  }
}

export const commands: readonly Command[] = [
  ...shown,
  tryDiode,
  prove,
  verify,
  attach,
  status,
  logs,
  detach,
];
