/**
 * `vei reload`: asks the running daemon to read its configuration again, and tells how that went.
 * The asking is a signal, which only root and the daemon's own user can send: the API, open to every
 * user of the box, can change nothing.
 */
import type { Reloaded } from "../api/status.ts";
import { Exit, VeiError } from "../base/errors.ts";
import type { Command, Terminal } from "./command.ts";
import { type Endpoint, fetchStatus, mustFindEndpoint } from "./endpoint.ts";
import { printable } from "./terminal.ts";

/** Reading and compiling takes a moment; a daemon that has not raised its diode yet waits for that. */
const PATIENCE_MS = 60_000;
const POLL_MS = 50;

export const command: Command = {
  name: "reload",
  summary: "let the daemon read its configuration again; policy and diode too, whole or not at all",
  example: "sudo vei reload",
  async run({ instance, json, terminal }) {
    const endpoint = await mustFindEndpoint(instance);
    const { reload } = await fetchStatus(endpoint);
    if (reload === undefined) throw tooOld();
    hangUp(endpoint);
    const result = await resultAfter(endpoint, reload.started);
    if (json && result.error === null) terminal.json(result);
    else if (result.outcome !== "refused") show(result, terminal);
    if (result.error === null) return Exit.ok;
    const { code, message, hint, exit } = result.error;
    throw new VeiError({ code, message, hint, exit: exitOf(exit) });
  },
};

function hangUp({ pid }: Endpoint): void {
  try {
    Deno.kill(pid, "SIGHUP");
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) throw ended(cause);
    throw new VeiError({
      code: "not-root",
      message: "Only root, or the user that the daemon runs as, can make it reload",
      hint: "run it with sudo",
      exit: Exit.noPermission,
      cause,
    });
  }
}

/** @returns how the first reload ended that began after the one numbered `before`. */
async function resultAfter(endpoint: Endpoint, before: number): Promise<Reloaded> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end;) {
    const { reload } = await fetchStatus(endpoint);
    const result = reload.results.find(({ number }) => number > before);
    if (result) return result;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new VeiError({
    code: "reload-unanswered",
    message: `The daemon has not reloaded within ${PATIENCE_MS / 1000} s`,
    hint: "it does when it has raised its diode; `vei status` and the log tell how it went",
    exit: Exit.tryAgain,
  });
}

function show({ outcome, change, generation, receipt }: Reloaded, terminal: Terminal): void {
  if (outcome === "unchanged") {
    terminal.out(`nothing has changed, generation ${generation}`);
    return;
  }
  const { changed, policy, diode, allowed = [] } = change!;
  terminal.out(printable(`reloaded: ${changed.join(", ")}; generation ${generation}`));
  const pairs = { policy, diode };
  for (const [name, pair] of Object.entries(pairs)) {
    if (pair && pair.before !== pair.after) {
      terminal.out(`${name.padEnd(8)}${pair.before.slice(0, 16)}… is now ${pair.after}`);
    }
  }
  for (const { name, before, after } of allowed) {
    const what = after === null ? "may not be chosen any more" : `by request: now ${after}`;
    const was = before === null ? "" : ` (was ${before.slice(0, 16)}…)`;
    terminal.out(printable(`policy  ${name} ${what}${was}`));
  }
  terminal.out(`receipt ${receipt}`);
}

/** The codes that there are; another one would be a newer daemon's. */
function exitOf(code: number) {
  return Object.values(Exit).find((one) => one === code) ?? Exit.internal;
}

function tooOld(): VeiError {
  return new VeiError({
    code: "daemon-too-old",
    message: "The running daemon is of a version that cannot reload",
    hint: "restart it; the signal would have ended it, and was not sent",
    exit: Exit.unavailable,
  });
}

function ended(cause: unknown): VeiError {
  return new VeiError({
    code: "daemon-not-running",
    message: "The daemon has just ended",
    hint: "its log says why; `vei serve` starts it",
    exit: Exit.unavailable,
    cause,
  });
}
