/** The receipts, to read: nothing here can change or delete one. */
import type { Hono } from "hono";
import { decodeEnvelope } from "../receipt/dsse.ts";
import { decodeStatement } from "../receipt/statement.ts";
import { isUuid7 } from "../receipt/uuid7.ts";

/** The part of the store that is read. */
export interface ReceiptSource {
  get(id: string): Promise<string | null>;
  latest(limit: number, before?: number): Promise<string[]>;
}

const MOST = 200;

function wholeNumber(text: string | undefined, fallback: number): number | null {
  if (text === undefined) return fallback;
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/**
 * Adds `/api/receipts?limit=N&before=SEQUENCE` (the latest first) and `/api/receipts/ID` (the
 * envelope's exact bytes).
 */
export function addReceiptRoutes(app: Hono, store: ReceiptSource): void {
  app.get("/api/receipts", async (c) => {
    const limit = wholeNumber(c.req.query("limit"), 50);
    const before = wholeNumber(c.req.query("before"), Number.MAX_SAFE_INTEGER);
    if (limit === null || before === null) {
      return c.json(
        { error: { code: "bad-number", message: "limit and before are numbers" } },
        400,
      );
    }
    const receipts = [];
    for (const id of await store.latest(Math.min(limit, MOST), before)) {
      const envelope = await store.get(id);
      if (envelope === null) continue;
      const { sequence, kind, time, verdict } = decodeStatement(decodeEnvelope(envelope).payload);
      receipts.push({ id, sequence, kind, time, verdict });
    }
    return c.json({ receipts });
  });
  app.get("/api/receipts/:id", async (c) => {
    const id = c.req.param("id");
    const envelope = isUuid7(id) ? await store.get(id) : null;
    if (envelope === null) {
      return c.json(
        { error: { code: "receipt-unknown", message: "There is no such receipt" } },
        404,
      );
    }
    return c.body(envelope, 200, { "Content-Type": "application/json" });
  });
}
