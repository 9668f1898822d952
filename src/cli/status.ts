/** `vei status`: one screen. What cannot be told is said as unknown. */
import type { Status } from "../api/status.ts";
import { Exit, messageOf } from "../base/errors.ts";
import { type DiodeStatus, readDiode } from "../../diodes/manager.ts";
import type { Instance } from "../host/instance.ts";
import type { Command, CommandContext, Screen, Terminal } from "./command.ts";
import { fetchStatus, findEndpoint } from "./endpoint.ts";
import { oneLine, pause, untilInterrupted } from "./event_output.ts";
import { statusLines } from "./status_screen.ts";
import { usageError } from "./usage.ts";

const REDRAW_MS = 1000;
/** A screen of its own, without a cursor; and back to what was there before. */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";

export const command: Command = {
  name: "status",
  summary: "what runs and what the gate did; exit 0 only when everything is ready",
  usage: "[-w]",
  example: "vei status --json",
  options: {
    watch: { type: "boolean", short: "w", describe: "go on, redrawing the screen each second" },
  },
  async run(context) {
    const { instance, options, json, terminal } = context;
    if (options.watch === true) return await watch(context);
    const endpoint = await findEndpoint(instance);
    const status = endpoint ? await fetchStatus(endpoint) : null;
    if (json) {
      const pinned = status ? null : pinnedDiode(instance.pins);
      terminal.json({ instance: instance.name, daemon: status, pinned });
    } else {
      // Not by out(): these lines are made printable already, and may be coloured.
      for (const line of linesOf(instance, status, terminal.screen())) terminal.write(`${line}\n`);
    }
    return status?.phase === "ready" ? Exit.ok : Exit.unavailable;
  },
};

function linesOf(instance: Instance, status: Status | null, screen: Screen | null): string[] {
  if (status) return statusLines(status, screen, Date.now());
  const pinned = pinnedDiode(instance.pins);
  const lines = [
    `daemon    not running (instance ${instance.name})`,
    `gate      ${pinned === null ? "none pinned" : pinnedText(pinned)}`,
  ];
  const width = screen?.columns ?? Infinity;
  return lines.map((line) => oneLine(line).slice(0, width));
}

type Pinned = DiodeStatus | { unknown: string } | null;

function pinnedDiode(pins: string): Pinned {
  if (Deno.uid() !== 0) return { unknown: "only root can read it" };
  try {
    return readDiode(pins);
  } catch (cause) {
    return { unknown: messageOf(cause) };
  }
}

function pinnedText(pinned: NonNullable<Pinned>): string {
  if ("unknown" in pinned) return `unknown: ${pinned.unknown}`;
  return pinned.ifindex === 0
    ? "pinned, but its interface is gone: it guards nothing"
    : `link ${pinned.linkId} is pinned and drops without a daemon`;
}

/** Until interrupted. A daemon that goes or comes back changes what is shown, nothing else. */
async function watch({ instance, json, terminal }: CommandContext): Promise<number> {
  if (json || terminal.screen() === null) {
    throw usageError(
      "--watch needs a terminal; a program can follow `vei logs -f --json`",
      "run `vei status --help`",
    );
  }
  const stop = untilInterrupted();
  terminal.write(ENTER);
  try {
    while (!stop.signal.aborted && !terminal.gone()) {
      draw(terminal, await seen(instance, terminal.screen()));
      await pause(REDRAW_MS, stop.signal);
    }
  } finally {
    terminal.write(LEAVE);
  }
  return Exit.ok;
}

async function seen(instance: Instance, screen: Screen | null): Promise<string[]> {
  try {
    const endpoint = await findEndpoint(instance);
    return linesOf(instance, endpoint ? await fetchStatus(endpoint) : null, screen);
  } catch (cause) {
    // It is just ending, or too busy to answer: the next second may tell.
    return [oneLine(`unknown: ${messageOf(cause)}`).slice(0, screen?.columns)];
  }
}

/** From the top, each line cleared behind its text, then all below: nothing flickers. */
function draw(terminal: Terminal, lines: string[]): void {
  terminal.write(`\x1b[H${lines.map((line) => `${line}\x1b[K\r\n`).join("")}\x1b[J`);
}
