/** How commands find a running daemon: RUN/endpoint.json, and its API. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import type { GateEvent } from "../api/hub.ts";
import type { Status } from "../api/status.ts";
import type { Instance } from "../host/instance.ts";

export interface Endpoint {
  pid: number;
  /** Field 22 of /proc/PID/stat: together with the pid it names one process for ever. */
  startTime: string;
  /** e.g. `127.0.0.1:8787`. */
  listen: string;
}

const pathOf = (instance: Instance) => `${instance.run}/endpoint.json`;

/** Says where the daemon listens; readable by all, written atomically. */
export async function writeEndpoint(instance: Instance, endpoint: Endpoint): Promise<void> {
  const temporary = `${pathOf(instance)}.${endpoint.pid}`;
  await Deno.writeTextFile(temporary, JSON.stringify(endpoint) + "\n", { mode: 0o644 });
  // Whatever the mask: `vei status` reads it without root.
  await Deno.chmod(temporary, 0o644);
  await Deno.rename(temporary, pathOf(instance));
}

export async function removeEndpoint(instance: Instance): Promise<void> {
  await Deno.remove(pathOf(instance)).catch(() => {});
}

/** @returns where the daemon listens, or null when none runs (a stale file counts as none). */
export async function findEndpoint(instance: Instance): Promise<Endpoint | null> {
  try {
    const endpoint: Endpoint = JSON.parse(await Deno.readTextFile(pathOf(instance)));
    const stat = await Deno.readTextFile(`/proc/${endpoint.pid}/stat`);
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return started === endpoint.startTime ? endpoint : null;
  } catch {
    return null;
  }
}

/** @throws VeiError `daemon-not-running`. */
export async function mustFindEndpoint(instance: Instance): Promise<Endpoint> {
  const endpoint = await findEndpoint(instance);
  if (endpoint) return endpoint;
  throw new VeiError({
    code: "daemon-not-running",
    message: `No daemon of the instance ${instance.name} is running`,
    hint: `start it: vei serve${instance.name === "vei" ? "" : ` --instance ${instance.name}`}`,
    exit: Exit.unavailable,
  });
}

async function get(endpoint: Endpoint, path: string, signal?: AbortSignal): Promise<Response> {
  try {
    const answer = await fetch(`http://${endpoint.listen}${path}`, { signal });
    if (answer.ok) return answer;
    await answer.body?.cancel();
    throw new Error(`status ${answer.status}`);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new VeiError({
      code: "daemon-silent",
      message: `The daemon at ${endpoint.listen} does not answer: ${messageOf(cause)}`,
      hint: "is it in another network namespace? its log says more",
      exit: Exit.unavailable,
      cause,
    });
  }
}

/** @returns whether the daemon says that it is ready; one that does not answer is not. */
export async function isReady({ listen }: Endpoint): Promise<boolean> {
  try {
    const answer = await fetch(`http://${listen}/readyz`, { signal: AbortSignal.timeout(5000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

/** @returns what `/api/status` says. @throws VeiError `daemon-silent`. */
export async function fetchStatus(endpoint: Endpoint): Promise<Status> {
  return await (await get(endpoint, "/api/status", AbortSignal.timeout(5000))).json();
}

/**
 * Yields gate events as they come, until the daemon ends the stream or `signal` is aborted.
 * @param after also those kept ones with a greater id.
 */
export async function* followEvents(
  endpoint: Endpoint,
  options: { after?: number; signal?: AbortSignal; onOpen?: () => void } = {},
): AsyncGenerator<GateEvent> {
  const query = options.after === undefined ? "" : `?after=${options.after}`;
  try {
    const answer = await get(endpoint, `/api/events${query}`, options.signal);
    let text = "";
    for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += piece;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
        if (text.startsWith(": subscribed")) options.onOpen?.();
        text = text.slice(end + 2);
        if (data !== undefined) yield JSON.parse(data);
      }
    }
  } catch (cause) {
    if (!options.signal?.aborted) throw cause;
  }
}
