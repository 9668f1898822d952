/** What the commands about diodes share: how events are printed, how they are interrupted. */
import type { GateEvent } from "../api/hub.ts";
import { Exit, VeiError } from "../base/errors.ts";
import type { Instance } from "../host/instance.ts";
import type { CommandContext } from "./command.ts";

export function noDiode(instance: Instance): VeiError {
  return new VeiError({
    code: "diode-absent",
    message: `No diode of the instance ${instance.name} is pinned`,
    hint: "`vei serve` attaches one before it starts the virtual machine, `vei diode attach` to " +
      "any interface",
    exit: Exit.noInput,
  });
}

/** One line for each event: JSON, or words. */
export function printEvent(
  { json, terminal }: Pick<CommandContext, "json" | "terminal">,
  event: GateEvent,
): void {
  if (json) terminal.write(JSON.stringify(event) + "\n");
  else terminal.out(`${event.time} ${event.kind.padEnd(7)} ${event.message}`);
}

/** @returns what SIGINT and SIGTERM abort. */
export function untilInterrupted(): AbortController {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  return stop;
}
