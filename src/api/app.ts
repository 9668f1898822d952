/** The local HTTP API (Hono). It only reads: nothing here can change the gate. */
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { messageOf } from "../base/errors.ts";
import { addChatRoutes, type ChatParts } from "./chat.ts";
import { EXPOSITION_TYPE } from "./exposition.ts";
import { exchangeEvent } from "./exchange_event.ts";
import { addReceiptRoutes } from "./receipts.ts";
import { hostCheck, secureHeaders } from "./guards.ts";
import type { EventHub } from "./hub.ts";
import type { Status } from "./status.ts";

export interface ApiParts {
  /** Host names that are answered now. */
  hosts(): readonly string[];
  hub: EventHub;
  /** Makes the status anew at each call. */
  status(): Status;
  /** Makes the document for Prometheus anew at each call. */
  metrics?(): string;
  /** Absent where nothing can be asked. */
  chat?: ChatParts;
  /** Adds the status page. */
  page?(app: Hono): void;
  /** For what the log should know and the client need not. */
  onError(message: string): void;
}

/** Comments keep an idle event stream from being taken for a dead one. */
const KEEPALIVE_MS = 15_000;

/** @returns the application; it answers with 503 where a part is not ready yet. */
export function createApp(parts: ApiParts): Hono {
  const app = new Hono();
  app.use(secureHeaders());
  app.use(hostCheck(parts.hosts));

  // Alive: the process answers. It says nothing about the gate; /readyz does.
  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/readyz", (c) => {
    const { phase } = parts.status();
    return c.text(`${phase}\n`, phase === "ready" ? 200 : 503);
  });
  app.get("/api/status", (c) => c.json(parts.status()));

  if (parts.metrics) {
    const { metrics } = parts;
    app.get("/metrics", (c) => c.body(metrics(), 200, { "Content-Type": EXPOSITION_TYPE }));
  }

  app.get("/api/events", (c) => {
    const after = readAfter(c.req.header("last-event-id") ?? c.req.query("after"));
    if (after === null) return c.json(error("bad-event-id", "An event id is a whole number"), 400);
    return streamSSE(c, async (stream) => {
      await using events = parts.hub.subscribe(after);
      stream.onAbort(() => void events[Symbol.asyncDispose]());
      // The first bytes go out at once: a client knows that it is subscribed.
      await stream.write(": subscribed\n\n");
      const keepalive = setInterval(() => void stream.write(": alive\n\n"), KEEPALIVE_MS);
      try {
        let lost = 0;
        for (;;) {
          const event = await events.next();
          if (event === null) break;
          if (events.lost > lost) {
            await stream.write(`: ${events.lost - lost} events lost\n\n`);
            lost = events.lost;
          }
          await stream.writeSSE({
            id: String(event.id),
            event: event.kind,
            data: JSON.stringify(event),
          });
        }
      } finally {
        clearInterval(keepalive);
      }
    });
  });

  if (parts.chat) {
    const { chat, hub } = parts;
    addChatRoutes(app, {
      onExchange: (ended) => void hub.publish(exchangeEvent(ended, chat.node.now())),
      ...chat,
    });
    addReceiptRoutes(app, parts.chat.node.store);
  }

  parts.page?.(app);

  app.notFound((c) => c.json(error("not-found", "There is nothing here"), 404));
  app.onError((cause, c) => {
    parts.onError(messageOf(cause));
    return c.json(error("internal", "The request failed; the log says why"), 500);
  });
  return app;
}

function error(code: string, message: string) {
  return { error: { code, message } };
}

function readAfter(text: string | undefined): number | undefined | null {
  if (text === undefined) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
