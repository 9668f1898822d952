/** `vei logs`: what the daemon did and saw, kept or as it happens. */
import type { GateEvent } from "../api/hub.ts";
import { parseDuration } from "../base/bytes.ts";
import { Exit, VeiError } from "../base/errors.ts";
import type { Instance } from "../host/instance.ts";
import type { Command, CommandContext } from "./command.ts";
import { type Endpoint, fetchStatus, findEndpoint, followEvents } from "./endpoint.ts";
import { pause, printEvent, untilInterrupted } from "./event_output.ts";
import { usageError } from "./usage.ts";

/** How often we look whether a daemon that has gone is back. */
const LOOK_MS = 300;

export const command: Command = {
  name: "logs",
  summary: "what the daemon did and saw: gate, virtual machine, exchanges",
  usage: "[-f] [--since ID|TIME]",
  example: 'vei logs -f --since "10 min"',
  options: {
    follow: { type: "boolean", short: "f", describe: "go on with what comes" },
    since: {
      type: "string",
      value: "ID|TIME",
      describe: 'from this event on, or this time: "10 min" ago, or as in 2030-01-31T12:00:00Z',
    },
  },
  async run(context) {
    const { instance, options } = context;
    const wanted = since(options.since, Date.now());
    const endpoint = await findEndpoint(instance);
    if (!endpoint) throw await noDaemon(instance);
    return await showEvents(context, endpoint, { follow: options.follow === true, wanted });
  },
};

/**
 * @param text of `--since`: an event's number, a time that has passed (`10 min`), or a date.
 * @param nowMs the clock.
 * @throws VeiError `usage`.
 */
export function since(
  text: string | boolean | undefined,
  nowMs: number,
): (event: GateEvent) => boolean {
  if (text === undefined) return () => true;
  const words = String(text);
  if (/^\d{1,15}$/.test(words)) return ({ id }) => id >= Number(words);
  const from = timeOf(words, nowMs);
  if (Number.isNaN(from)) {
    throw usageError(
      `--since ${JSON.stringify(words)} is neither an event's number nor a time`,
      'for example: --since 17, --since "10 min", --since 2030-01-31T12:00:00Z',
    );
  }
  return ({ time }) => Date.parse(time) >= from;
}

function timeOf(text: string, nowMs: number): number {
  try {
    return nowMs - parseDuration(text);
  } catch {
    // A date alone, or with a time: anything else Date.parse would guess at.
    return /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/.test(text) ? Date.parse(text) : NaN;
  }
}

async function noDaemon(instance: Instance): Promise<VeiError> {
  const systemd = await Deno.stat("/run/systemd/system").then(() => true, () => false);
  const start = `vei serve${instance.name === "vei" ? "" : ` --instance ${instance.name}`}`;
  return new VeiError({
    code: "daemon-not-running",
    message: `No daemon of the instance ${instance.name} is running: its events went with it`,
    hint: systemd && instance.name === "vei"
      ? "`journalctl -u vei` has what it logged; `systemctl start vei` starts it"
      : `what it logged is where its standard error went; start it: ${start}`,
    exit: Exit.unavailable,
  });
}

export interface ShowOptions {
  /** Goes on until interrupted; when the daemon ends, it waits for the next one. */
  follow: boolean;
  wanted(event: GateEvent): boolean;
}

/**
 * Prints the kept events of a daemon, then those that come. Ends early, without complaint, when the
 * reader of standard output has gone.
 * @throws VeiError `daemon-silent` unless following.
 */
export async function showEvents(
  context: CommandContext,
  endpoint: Endpoint,
  { follow, wanted }: ShowOptions,
): Promise<number> {
  const { terminal } = context;
  const stop = untilInterrupted();
  const say = (text: string) => terminal.err(`vei: ${text}`);
  // Without -f: the kept ones only, so end at the number that was the last when we began.
  const until = follow ? Infinity : (await fetchStatus(endpoint)).events.at(-1)?.id ?? 0;
  if (until === 0) return Exit.ok;
  for (let daemon = endpoint, last = 0;;) {
    try {
      const events = followEvents(daemon, { after: last, signal: stop.signal });
      for await (const event of events) {
        if (last > 0 && event.id > last + 1) say(`${event.id - last - 1} events are missing here`);
        last = event.id;
        if (wanted(event)) printEvent(context, event);
        if (last >= until || terminal.gone()) break;
      }
    } catch (cause) {
      if (!follow) throw cause;
    }
    if (!follow || stop.signal.aborted || terminal.gone()) break;
    say("the daemon's stream has ended; waiting for it");
    const next = await nextDaemon(context.instance, stop.signal);
    if (!next) break;
    const same = next.pid === daemon.pid && next.startTime === daemon.startTime;
    say(same ? `connected again, after event ${last}` : `a new daemon runs, pid ${next.pid}`);
    if (!same) last = 0;
    daemon = next;
  }
  // Ends the stream where we left it in the middle.
  stop.abort();
  return Exit.ok;
}

/** @returns the daemon that answers next, or null once the signal was aborted. */
async function nextDaemon(instance: Instance, signal: AbortSignal): Promise<Endpoint | null> {
  while (!signal.aborted) {
    await pause(LOOK_MS, signal);
    const endpoint = await findEndpoint(instance);
    if (!endpoint) continue;
    // One that is stopping still stands in the file, but has closed its stream for good.
    const phase = await fetchStatus(endpoint).then((status) => status.phase, () => "stopping");
    if (phase !== "stopping") return endpoint;
  }
  return null;
}
