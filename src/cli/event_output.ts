/** What the commands that show events share: how one is printed, and how they are interrupted. */
import type { GateEvent } from "../api/hub.ts";
import { decodeEvent } from "../bpf/event.ts";
import { monotonicNs } from "../../ffi/clock.ts";
import type { RingReader } from "../../ffi/ring.ts";
import type { CommandContext } from "./command.ts";
import { DropReporter } from "./gate_events.ts";
import { jsonText, printable } from "./terminal.ts";

/** One line for each event: JSON, or words. */
export function printEvent(
  { json, terminal }: Pick<CommandContext, "json" | "terminal">,
  event: GateEvent,
): void {
  if (json) terminal.write(jsonText(event) + "\n");
  else terminal.out(oneLine(`${event.time} ${event.kind.padEnd(8)} ${event.message}`));
}

/** @returns what prints the drops that a ring holds by now, numbered on from call to call. */
export function dropPrinter(
  context: Pick<CommandContext, "json" | "terminal">,
  ring: RingReader,
): () => void {
  const reporter = new DropReporter({ wallMs: Date.now, monotonicNs });
  let id = 0;
  return () =>
    ring.drain((record) => {
      const event = reporter.report(decodeEvent(record));
      if (event) printEvent(context, { id: ++id, ...event });
    });
}

/** @returns what a terminal can be given as one line. */
export function oneLine(text: string): string {
  return printable(text).replaceAll("\n", " ").replaceAll("\t", " ");
}

/** @returns what SIGINT and SIGTERM abort. */
export function untilInterrupted(): AbortController {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  return stop;
}

/** Waits, but not longer than until the signal. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
