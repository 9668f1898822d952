/** `vei serve --model …` in folders of a test's own: the API, the monitor and the receipts alone. */
import { assert, assertEquals } from "@std/assert";
import { type Instance, instanceOf } from "../../src/host/instance.ts";
import { until } from "./daemon.ts";
import { freshName, startVei, vei, type VeiOptions } from "./vei.ts";

export interface Listed {
  id: string;
  sequence: number;
  time: { start: string; end: string };
  verdict: { outcome: string; why?: string };
}

/** A state folder and what runs on it. */
export class PlainPlace implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "vei-plain-" });
  readonly temporary = Deno.makeTempDirSync({ prefix: "vei-plain-tmp-" });
  readonly instance: Instance = instanceOf(freshName(), { state: `${this.folder}/s` });
  readonly accepted = new Set<string>();
  readonly daemons: PlainDaemon[] = [];
  readonly words = ["--instance", this.instance.name, "--state", this.instance.state];

  get said(): string {
    return this.daemons.map(({ log }) => log).join("\n");
  }

  /** Starts a daemon; it may end at once. */
  start(model: string, options: VeiOptions = {}): PlainDaemon {
    const listen = `127.0.0.1:${freePort()}`;
    const config = `${this.folder}/vei.toml`;
    Deno.writeTextFileSync(config, `[api]\nlisten = "${listen}"\n[policy]\ndefault = "hateless"\n`);
    const args = ["serve", "--model", model, "--config", config, ...this.words];
    const env = { TMPDIR: this.temporary, ...options.env };
    const daemon = new PlainDaemon(this, listen, startVei(args, { ...options, env }));
    this.daemons.push(daemon);
    return daemon;
  }

  /** Starts a daemon and waits until it is ready. */
  async serve(model: string, options: VeiOptions = {}): Promise<PlainDaemon> {
    const daemon = this.start(model, options);
    await daemon.ready();
    return daemon;
  }

  /** @returns the receipts as `vei receipt list` shows them. */
  async list(): Promise<Listed[]> {
    const ran = await vei(["receipt", "list", "--json", ...this.words]);
    assertEquals(ran.code, 0, ran.stderr);
    return JSON.parse(ran.stdout);
  }

  async stop(): Promise<void> {
    for (const daemon of this.daemons) {
      if (daemon.running) assertEquals((await daemon.end("SIGTERM")).code, 0, daemon.log);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.daemons) if (daemon.running) await daemon.end("SIGKILL");
    for (const folder of [this.folder, this.temporary, this.instance.run]) {
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    }
  }
}

export class PlainDaemon {
  log = "";
  private ended: Deno.CommandStatus | null = null;
  private readonly pipes: Promise<unknown>;

  constructor(
    private readonly place: PlainPlace,
    readonly listen: string,
    readonly child: Deno.ChildProcess,
  ) {
    this.pipes = Promise.all([this.read(child.stdout), this.read(child.stderr)]);
    child.status.then((status) => this.ended = status);
  }

  private async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.log += text;
  }

  get running(): boolean {
    return this.ended === null;
  }

  async ready(): Promise<void> {
    await until("readiness", async () => {
      assert(this.running, this.log);
      const answer = await fetch(`http://${this.listen}/readyz`).catch(() => null);
      await answer?.text();
      return answer?.ok || null;
    }, { ms: 60_000, log: () => this.log });
  }

  /** Asks, and remembers the receipt's id that was told. */
  async ask(stream = true, signal?: AbortSignal): Promise<Response> {
    const answer = await fetch(`http://${this.listen}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content: "sing on" }], stream }),
      signal,
    });
    const id = answer.headers.get("vei-receipt");
    if (id !== null && answer.ok) this.place.accepted.add(id);
    return answer;
  }

  /** Waits for its end, after a signal if one is given. */
  async end(signal?: Deno.Signal): Promise<Deno.CommandStatus> {
    if (signal && this.running) this.child.kill(signal);
    const status = await until("the daemon's end", () => this.ended, {
      ms: 30_000,
      log: () => this.log,
    });
    await this.pipes;
    return status;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A model server that says a word every 20 ms, for ever; knows when its client went away. */
export function endlessServer() {
  const gone = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    let timer: ReturnType<typeof setInterval>;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const event = { choices: [{ index: 0, finish_reason: null, delta: { content: "la " } }] };
        const bytes = new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`);
        timer = setInterval(() => controller.enqueue(bytes), 20);
      },
      cancel() {
        clearInterval(timer);
        gone.resolve();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/v1`,
    gone: gone.promise,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
