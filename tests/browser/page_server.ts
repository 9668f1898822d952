/** The API as the page sees it, with the real application, real receipts and a model that a test plays. */
import type { Hono } from "hono";
import { createApp } from "../../src/api/app.ts";
import { EventHub } from "../../src/api/hub.ts";
import { NO_RELOAD } from "../tools/sample_reload.ts";
import type { Status } from "../../src/api/status.ts";
import { sha256 } from "../../src/base/bytes.ts";
import { REASONS } from "../../src/bpf/reasons.ts";
import { encodeEnvelope, seal } from "../../src/receipt/dsse.ts";
import { signingKey } from "../../src/receipt/keys.ts";
import { encodeStatement, type Receipt, type Verdict } from "../../src/receipt/statement.ts";
import { mountPage } from "../../web/page.tsx";
import { digestOf, sampleReceipt } from "../tools/sample_receipt.ts";

/** What the model does for one prompt; it ends with a verdict, or the connection just breaks. */
export interface Play {
  /** Progress of reading, then pieces of the answer. */
  reading?: [number, number][];
  pieces: string[];
  /** Between the pieces, in milliseconds; or what has to happen before each step goes on. */
  pause?: number | (() => Promise<void>);
  verdict: Verdict | "break";
  /** The answer's text in the receipt, where it is to differ from what was sent. */
  bound?: string;
}

export type FullStatus = Status & {
  policy: Status["policy"];
  receipts: number | null;
};

export const COMPLETED: Verdict = { outcome: "completed", finish: "stop" };

/** Every counter that the kernel has, as at a quiet time. */
export function counters(some: Record<string, number> = {}): Record<string, number> {
  return { ...Object.fromEntries(REASONS.map((reason) => [reason, 0])), ...some };
}

export function readyStatus(): FullStatus {
  return {
    instance: "default",
    version: "0.1.0",
    phase: "ready",
    pid: 4021,
    started: "2026-01-01T09:30:00.000Z",
    listen: "127.0.0.1:8787",
    diode: {
      name: "hateless",
      adopted: false,
      linkId: 7,
      programId: 58,
      digests: { source: digestOf("a"), table: digestOf("b"), bytecode: digestOf("c") },
      rules: null,
      counters: counters({ pass: 1284, pass_empty: 311, predicate: 3, ethertype: 12 }),
    },
    enclave: {
      model: "smollm2-135m",
      modelDigest: digestOf("d"),
      image: digestOf("e"),
      accel: "tcg",
      accelReason: "there is no /dev/kvm",
      pid: 4077,
      attempt: 1,
      bootSeconds: 21.4,
      restarts: 0,
    },
    policy: { name: "hateless", version: "1", sha256: digestOf("f"), allowed: [] },
    reload: NO_RELOAD,
    receipts: 0,
    events: [],
  };
}

export class PageServer implements AsyncDisposable {
  status: FullStatus = readyStatus();
  readonly plays = new Map<string, Play>();
  /** Bodies of the questions, as they came. */
  readonly asked: Record<string, unknown>[] = [];
  /** Set when a client went away while its answer was under way. */
  cancelled = 0;
  hub = new EventHub();
  private port = 0;
  private server: Deno.HttpServer<Deno.NetAddr> | null = null;
  private cut = new AbortController();
  private receipts: { receipt: Receipt; text: string }[] = [];

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Starts it, again on the same port, as a daemon that restarts: events count anew. */
  start(): void {
    this.hub = new EventHub();
    this.cut = new AbortController();
    const app = this.app();
    this.server = Deno.serve(
      { hostname: "127.0.0.1", port: this.port, signal: this.cut.signal, onListen: () => {} },
      app.fetch,
    );
    this.port = this.server.addr.port;
  }

  /** Ends it at once, with all connections. */
  async stop(): Promise<void> {
    this.hub.close();
    this.cut.abort();
    await this.server?.finished;
    this.server = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private app(): Hono {
    const app = createApp({
      hosts: () => ["127.0.0.1"],
      hub: this.hub,
      status: () => ({
        ...this.status,
        receipts: this.status.receipts === null ? null : this.receipts.length,
      }),
      onError: () => {},
      page: mountPage,
    });
    app.post("/v1/chat/completions", (c) => this.chat(c.req.raw));
    app.get("/api/receipts", (c) => {
      const last = this.receipts.slice(-Number(c.req.query("limit"))).reverse();
      const receipts = last.map(({ receipt: { id, sequence, time, verdict } }) => (
        { id, sequence, time, verdict }
      ));
      return c.json({ receipts });
    });
    app.get("/api/receipts/:id", (c) => {
      const found = this.receipts.find(({ receipt }) => receipt.id === c.req.param("id"));
      if (!found) return c.json({ error: { code: "not-found", message: "no such receipt" } }, 404);
      return c.body(found.text, 200, { "Content-Type": "application/json" });
    });
    return app;
  }

  private async chat(request: Request): Promise<Response> {
    const body = await request.json();
    this.asked.push(body);
    const prompt = body.messages[0].content;
    const play = this.plays.get(prompt);
    if (!play) {
      const error = { message: "The model is not ready yet", code: "not_ready" };
      return Response.json({ error }, { status: 503, headers: { "Retry-After": "5" } });
    }
    const output = play.bound ?? play.pieces.join("");
    const verdict = play.verdict === "break" ? COMPLETED : play.verdict;
    const { id } = await this.addReceipt(prompt, output, verdict);
    if (verdict.outcome === "refused") {
      const message = `The policy refuses the prompt: rule ${verdict.rule}, byte ${verdict.offset}`;
      return Response.json({ error: { message, code: "policy_refused" } }, {
        status: 400,
        headers: { "VEI-Receipt": id },
      });
    }
    return new Response(this.stream(play, id, verdict), {
      headers: { "Content-Type": "text/event-stream; charset=utf-8", "VEI-Receipt": id },
    });
  }

  private stream(play: Play, id: string, verdict: Verdict): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder();
    let gone = false;
    const pause = async () => {
      const wait = play.pause ?? 0;
      if (typeof wait === "function") await wait();
      else await new Promise((done) => setTimeout(done, wait));
    };
    return new ReadableStream({
      start: async (controller) => {
        const send = (text: string) => {
          if (!gone) controller.enqueue(encoder.encode(text));
        };
        const chunk = (delta: object, finish: string | null, more = {}) =>
          send(`data: ${
            JSON.stringify({
              id: `chatcmpl-${id}`,
              object: "chat.completion.chunk",
              choices: [{ index: 0, delta, finish_reason: finish }],
              ...more,
            })
          }\n\n`);
        chunk({ role: "assistant", content: "" }, null);
        for (const [done, total] of play.reading ?? []) {
          send(`: reading ${done}/${total}\n\n`);
          await pause();
        }
        for (const content of play.pieces) {
          if (gone) return;
          chunk({ content }, null);
          await pause();
        }
        if (gone) return;
        if (play.verdict !== "break") {
          const finish = verdict.outcome === "completed" ? verdict.finish : "content_filter";
          chunk({}, finish, { vei: { receipt: id, verdict } });
          send("data: [DONE]\n\n");
        }
        controller.close();
      },
      cancel: () => {
        gone = true;
        this.cancelled++;
      },
    });
  }

  /** Adds a receipt, signed as a node would. */
  async addReceipt(input: string, output: string, verdict: Verdict): Promise<Receipt> {
    const key = await signingKey(new Uint8Array(32).fill(7));
    const encoder = new TextEncoder();
    const [inputBytes, outputBytes] = [encoder.encode(input), encoder.encode(output)];
    const sequence = this.receipts.length + 1;
    const byKernel = verdict.outcome === "aborted" && verdict.by === "kernel";
    const receipt: Receipt = {
      ...await sampleReceipt(key.publicKey.fingerprint, sequence * 60_000),
      sequence,
      time: {
        start: new Date(1_767_260_000_000 + sequence * 60_000).toISOString(),
        first_byte: new Date(1_767_260_001_000 + sequence * 60_000).toISOString(),
        end: new Date(1_767_260_009_000 + sequence * 60_000).toISOString(),
      },
      input: { sha256: await sha256(inputBytes), bytes: inputBytes.length },
      output: { sha256: await sha256(outputBytes), bytes: outputBytes.length },
      verdict,
      kernel: {
        link_id: 7,
        program_id: 58,
        counters_before: counters({ pass: 1284, pass_empty: 311 }),
        counters_after: counters({ pass: 1310, pass_empty: 319, predicate: byKernel ? 3 : 0 }),
        flow: null,
        drops: byKernel
          ? [{
            reason: "predicate",
            offset: 147,
            tcp_sequence: 3_120_448_771,
            payload_bytes: 160,
            retransmissions: 2,
          }]
          : [],
      },
    };
    const text = encodeEnvelope(await seal(encodeStatement(receipt), key));
    this.receipts.push({ receipt, text });
    return receipt;
  }
}
