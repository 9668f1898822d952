/** The API's listener: bound at once, in the namespace that this thread is in at the call. */
import type { Hono } from "hono";
import { Exit, messageOf, VeiError } from "../base/errors.ts";

export interface ApiServer {
  /** The address as bound, e.g. `127.0.0.1:8787`. */
  readonly listen: string;
  /** Takes no more requests; what still runs is cut off after a moment. */
  stop(): Promise<void>;
}

const DRAIN_MS = 2000;

/**
 * @param listen address and port.
 * @throws VeiError `port-taken`, `listen-failed`.
 */
export function serveApi(app: Hono, listen: string): ApiServer {
  const colon = listen.lastIndexOf(":");
  const hostname = listen.slice(0, colon);
  const port = Number(listen.slice(colon + 1));
  const cut = new AbortController();
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({ hostname, port, signal: cut.signal, onListen: () => {} }, app.fetch);
  } catch (cause) {
    const taken = cause instanceof Deno.errors.AddrInUse;
    throw new VeiError({
      code: taken ? "port-taken" : "listen-failed",
      message: taken
        ? `Another program is listening on ${listen}`
        : `Cannot listen on ${listen}: ${messageOf(cause)}`,
      hint: "choose another address in [api] listen, or end that program (`ss -ltnp` names it)",
      exit: Exit.unavailable,
      cause,
    });
  }
  return {
    listen: `${server.addr.hostname}:${server.addr.port}`,
    async stop() {
      // A client that keeps its connection open would hold shutdown() up for ever.
      const timer = setTimeout(() => cut.abort(), DRAIN_MS);
      await server.shutdown();
      await server.finished;
      clearTimeout(timer);
    },
  };
}
