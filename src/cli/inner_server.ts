/** The server behind the front, on a socket that only we can reach. */
import type { Hono } from "hono";

export interface InnerServer {
  /** Takes no more requests. @returns when every request has been answered. */
  shutdown(): Promise<void>;
  /** Ends what still runs. */
  cut(): void;
}

/** How long it does not listen after it could not accept: by then descriptors may be free again. */
const AGAIN_MS = 100;

/**
 * Deno.serve gives up for good when a connection cannot be accepted for want of descriptors; what
 * it has begun goes on. So another listens in its place.
 *
 * @param path of the socket; one that is there is replaced, and removed at the end.
 */
export function serveSocket(app: Hono, path: string): InnerServer {
  const cut = new AbortController();
  const servers = new Set<Deno.HttpServer<Deno.UnixAddr>>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ending = false;

  const listen = () => {
    removeIfThere(path);
    const server = Deno.serve({ path, signal: cut.signal, onListen: () => {} }, app.fetch);
    servers.add(server);
    server.finished.catch(() => {
      server.shutdown().catch(() => {}).finally(() => servers.delete(server));
      listenAgain();
    });
    Deno.chmodSync(path, 0o600);
  };
  const listenAgain = () => {
    if (ending) return;
    timer = setTimeout(() => {
      try {
        listen();
      } catch {
        listenAgain();
      }
    }, AGAIN_MS);
  };
  listen();
  return {
    async shutdown() {
      ending = true;
      clearTimeout(timer);
      // The one that gave up rejects: it was replaced.
      const ends = [...servers].flatMap((one) => [one.shutdown(), one.finished]);
      await Promise.allSettled(ends);
      removeIfThere(path);
    },
    cut: () => cut.abort(),
  };
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}
