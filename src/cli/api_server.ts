/** The API's listener: bound at once, in the namespace that this thread is in at the call. */
import type { Hono } from "hono";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { descriptorLimit } from "../host/descriptors.ts";
import { type FrontLimits, frontLimits, startFront } from "./front.ts";
import { type InnerServer, serveSocket } from "./inner_server.ts";

export interface ApiServer {
  /** The address as bound, e.g. `127.0.0.1:8787`. */
  readonly listen: string;
  /** Takes no more requests; what still runs is cut off after a moment. */
  stop(): Promise<void>;
}

const DRAIN_MS = 2000;

/**
 * @param listen address and port.
 * @param socket path of a socket for ourselves, in a folder that others cannot write to.
 * @throws VeiError `port-taken`, `listen-failed`.
 */
export function serveApi(
  app: Hono,
  listen: string,
  socket: string,
  limits: FrontLimits = frontLimits(descriptorLimit()),
): ApiServer {
  const colon = listen.lastIndexOf(":");
  const hostname = listen.slice(0, colon);
  const port = Number(listen.slice(colon + 1));
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname, port });
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
  let inner: InnerServer;
  try {
    inner = serveSocket(app, socket);
  } catch (cause) {
    listener.close();
    throw cause;
  }
  const front = startFront(
    listener,
    () => Deno.connect({ transport: "unix", path: socket }),
    limits,
  );
  const { addr } = listener;
  return {
    listen: `${addr.hostname}:${addr.port}`,
    async stop() {
      front.close();
      // A client that does not let go would hold shutdown() up for ever.
      const timer = setTimeout(() => {
        front.cut();
        inner.cut();
      }, DRAIN_MS);
      await inner.shutdown();
      front.cut();
      await front.ended;
      clearTimeout(timer);
    },
  };
}
