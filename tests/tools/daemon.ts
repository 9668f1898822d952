/**
 * `vei serve` in a place of a test's own: an instance nobody else has, in a network namespace of its
 * own, with a small model. While it lives the gate is looked at again and again; whatever happens,
 * all of it is removed at the end, and that is checked too.
 */
import { assert, assertEquals } from "@std/assert";
import { detachDiode } from "../../diodes/manager.ts";
import { assertLocalAddress, GUEST_PORT, removeLink } from "../../enclave/link.ts";
import { endOrphan } from "../../enclave/orphan.ts";
import { readPidFile } from "../../enclave/pid_file.ts";
import type { ProcessName } from "../../enclave/processes.ts";
import { deleteInterface } from "../../ffi/netdev.ts";
import { netnsExists, unshareNetns, withNetns } from "../../ffi/netns.ts";
import { allLinks, type LinkState, linkState } from "../../ffi/rtnetlink.ts";
import type { Status } from "../../src/api/status.ts";
import { defaultConfig } from "../../src/base/config.ts";
import { type Instance, instanceOf } from "../../src/host/instance.ts";
import { chat } from "../../src/model/enclave.ts";
import { GateWatch } from "./gate_watch.ts";
import { leftOvers } from "./left_overs.ts";
import { testState } from "./state.ts";
import type { TinyModel } from "./tiny_gguf.ts";
import { addTiny } from "./tiny_model.ts";
import { freshName, type Ran, startVei, vei, type VeiOptions } from "./vei.ts";
import { ignoreMissing } from "../../src/host/missing.ts";

const LISTEN = defaultConfig().api.listen;
/** A boot takes some seconds; a busy machine takes its time. */
const PATIENCE_MS = 170_000;
const STOP_MS = 20_000;

export class Box implements AsyncDisposable {
  readonly gate: GateWatch;
  /** TMPDIR of everything that this box runs. */
  readonly temporary = Deno.makeTempDirSync({ prefix: "vei-faults-tmp-" });
  /** Ids of receipts that clients were told. */
  readonly accepted = new Set<string>();
  private readonly daemons: Daemon[] = [];
  private readonly ran: Ran[] = [];
  private readonly client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });

  private constructor(
    readonly instance: Instance,
    private readonly goBack: Disposable,
  ) {
    this.gate = new GateWatch(instance);
  }

  /**
   * Moves the calling thread into a fresh network namespace, until this is disposed of.
   * @param options `model`: what the model says; `null`: no model. `image`: false for none.
   */
  static async make(
    { model = {}, image = true }: { model?: TinyModel | null; image?: boolean } = {},
  ): Promise<Box> {
    const state = await Deno.makeTempDir({ prefix: "vei-faults-" });
    if (image) await Deno.symlink(`${await testState()}/images`, `${state}/images`);
    const instance = instanceOf(freshName(), { state });
    if (model) await addTiny(state, model);
    return new Box(instance, unshareNetns());
  }

  /** Words that every command of this instance takes. */
  private arguments(state = this.instance.state): string[] {
    return ["--instance", this.instance.name, "--state", state];
  }

  /** Runs another `vei` command on this instance to its end. @param options `state`: another folder. */
  async vei(
    args: string[],
    { state, ...options }: VeiOptions & { state?: string } = {},
  ): Promise<Ran> {
    const at = args.indexOf("--");
    const [own, rest] = at < 0 ? [args, []] : [args.slice(0, at), args.slice(at)];
    const words = [...own, ...this.arguments(state), ...rest];
    const ran = await vei(words, { ...options, env: this.environment(options.env) });
    this.ran.push(ran);
    return ran;
  }

  private environment(more: Record<string, string> = {}): Record<string, string> {
    return { TMPDIR: this.temporary, ...more };
  }

  /** Everything that daemons and commands of this box have printed. */
  get said(): string {
    const daemons = this.daemons.map(({ log }) => log);
    return [...daemons, ...this.ran.map(({ stdout, stderr }) => stdout + stderr)].join("\n");
  }

  /** Stops what still runs, as its operator would. @throws AssertionError unless it ends well. */
  async stop(): Promise<void> {
    for (const daemon of this.daemons.filter(({ running }) => running)) {
      const { code, ms } = await daemon.stop();
      assertEquals(code, 0, daemon.log);
      assert(ms < STOP_MS / 2, `the stop took ${ms} ms`);
    }
  }

  /**
   * Starts the daemon.
   * @param config text of a configuration file; null: the instance's own is read. @param plain this model (`mock`, or a URL) without
   * virtual machine and gate.
   */
  serve(options: VeiOptions & { config?: string | null; plain?: string } = {}): Daemon {
    const args = ["serve", ...options.plain ? ["--model", options.plain] : [], ...this.arguments()];
    const config = judgedConfig(options.config, !options.plain);
    if (typeof config === "string") {
      const path = `${this.instance.state}/vei.toml`;
      Deno.writeTextFileSync(path, config);
      args.push("--config", path);
    }
    const env = this.environment(options.env);
    const daemon = new Daemon(startVei(args, { ...options, env }), this);
    this.daemons.push(daemon);
    return daemon;
  }

  /**
   * Starts a daemon and waits until it is ready. On a busy machine the emulated guest may not be
   * ready within the daemon's three deadlines; then it says so and ends, and is started again.
   */
  async serving(options: VeiOptions & { config?: string } = {}): Promise<Daemon> {
    for (let tries = 1;; tries++) {
      const daemon = this.serve(options);
      try {
        await daemon.ready();
        return daemon;
      } catch (cause) {
        if (tries === 4 || !daemon.log.includes("[enclave-not-ready]")) throw cause;
      }
    }
  }

  /**
   * Starts a daemon that must end by itself with this exit code and `[code]` in its words, and that
   * must leave nothing of the instance behind.
   * @param options `left`: what was there before, in the words of `leftOvers`.
   * @returns everything it said.
   */
  async refuses(
    code: number,
    name: string,
    options: VeiOptions & { config?: string | null; left?: string[] } = {},
  ): Promise<string> {
    const daemon = this.serve(options);
    const ended = await daemon.end();
    assertEquals(
      { code: ended.code, name: /\[([a-z-]+)\]$/m.exec(daemon.log)?.[1] },
      { code, name },
      daemon.log,
    );
    assertEquals(await leftOvers(this.instance), options.left ?? [], daemon.log);
    return daemon.log;
  }

  /** Fetches from the daemon's API; a question to the model may take its time. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const signal = AbortSignal.timeout(init.method === "POST" ? PATIENCE_MS : 10_000);
    return fetch(`http://${LISTEN}${path}`, { ...init, client: this.client, signal });
  }

  /** Asks a question, as an OpenAI client does. @param more besides `messages`. */
  tell(content: string, more: Record<string, unknown> = {}): Promise<Response> {
    return this.fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content }], ...more }),
    });
  }

  /** Asks the model through the API, and remembers the receipt's id. */
  async chat(maxTokens: number, stream = true): Promise<Response> {
    const answer = await this.fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        messages: [{ role: "user", content: "x" }],
        max_tokens: maxTokens,
        stream,
      }),
    });
    const id = answer.headers.get("vei-receipt");
    if (id !== null) this.accepted.add(id);
    return answer;
  }

  /** @returns the daemon's status, null while it does not answer. */
  async status(): Promise<Status | null> {
    try {
      return await (await this.fetch("/api/status")).json();
    } catch {
      return null;
    }
  }

  /** @returns what the kernel says of the tap, null when there is none. */
  tap(): LinkState | null {
    const { netns, tap } = this.instance;
    return netnsExists(netns) ? withNetns(netns, () => linkState(tap)) : null;
  }

  /** Does synchronous work in the link namespace. */
  inside<T>(work: () => T): T {
    return withNetns(this.instance.netns, work);
  }

  /**
   * Asks the model server from inside the link namespace.
   * @returns the pieces of the answer as they come.
   */
  async *ask(signal: AbortSignal, maxTokens = 400): AsyncGenerator<string> {
    const { guest, host } = defaultConfig().link;
    const connection = await this.inside(() => Deno.connect({ hostname: guest, port: GUEST_PORT }));
    assertLocalAddress(connection, host);
    const prompt = [{ role: "user" as const, content: "hello" }];
    const request = { prompt, maxTokens, temperature: 0, seed: 0 };
    for await (const delta of chat(connection, guest, request, { signal })) {
      if (delta.kind === "text") yield delta.text;
    }
  }

  /** Ends and removes everything, then looks whether that is so, and whether the gate ever stood open. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { instance } = this;
    const failures: unknown[] = [];
    const attempt = async (action: () => unknown) => {
      try {
        await action();
      } catch (cause) {
        failures.push(cause);
      }
    };
    for (const daemon of this.daemons) await attempt(() => daemon.remove());
    this.gate.stop();
    await attempt(() => endOrphan(instance));
    await attempt(() => {
      if (!netnsExists(instance.netns)) return;
      this.inside(() => {
        for (const { name, index } of allLinks()) if (index !== 1) deleteInterface(name);
      });
    });
    await attempt(() => detachDiode(instance.pins));
    await attempt(() => removeLink(instance));
    await attempt(() => Deno.remove(instance.run, { recursive: true }).catch(ignoreMissing));
    this.goBack[Symbol.dispose]();
    this.client.close();
    for (const folder of [instance.state, this.temporary]) {
      await attempt(() => Deno.remove(folder, { recursive: true }));
    }
    await attempt(async () => assertEquals(await leftOvers(instance), []));
    await attempt(() => this.gate.assertNeverOpen());
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join("; "));
  }
}

/** A running `vei serve`. */
export class Daemon {
  /** What it has said so far, on both outputs. */
  log = "";
  private readonly pipes: Promise<void>;
  private ended: Deno.CommandStatus | null = null;

  constructor(readonly child: Deno.ChildProcess, private readonly box: Box) {
    this.pipes = Promise.all([this.read(child.stdout), this.read(child.stderr)]).then(() => {});
    child.status.then((status) => this.ended = status);
  }

  private async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.log += text;
  }

  /** @returns whether it runs. */
  get running(): boolean {
    return this.ended === null;
  }

  /** Waits for a state of its own. @throws Error with its log when it ended before, or never came. */
  async until(
    what: string,
    holds: (status: Status) => boolean,
    ms = PATIENCE_MS,
  ): Promise<Status> {
    return await until(what, async () => {
      if (this.ended) throw new Error(`vei serve ended while waiting for ${what}:\n${this.log}`);
      const status = await this.box.status();
      return status !== null && holds(status) ? status : null;
    }, { ms, log: () => this.log });
  }

  /** Waits until QEMU runs, another one than `before`: the guest begins to boot. */
  async booting(before?: ProcessName): Promise<ProcessName> {
    return await until("QEMU", () => {
      if (this.ended) throw new Error(`vei serve ended before it started QEMU:\n${this.log}`);
      const qemu = readPidFile(this.box.instance.run)?.qemu ?? null;
      return qemu?.pid === before?.pid ? null : qemu;
    }, { log: () => this.log });
  }

  /** Waits until it says that all is ready. */
  ready(): Promise<Status> {
    return this.until("readiness", ({ phase }) => phase === "ready");
  }

  /** Waits for the daemon to end. @throws Error with its log when it does not within `ms`. */
  async end(ms = PATIENCE_MS): Promise<{ code: number; signal: string | null }> {
    const { code, signal } = await until("the daemon's end", () => this.ended, {
      ms,
      log: () => this.log,
    });
    await this.pipes;
    return { code, signal };
  }

  kill(signal: Deno.Signal): void {
    this.child.kill(signal);
  }

  /** Asks it to end. @returns its exit code and how long it took. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<{ code: number; ms: number }> {
    const begun = performance.now();
    this.kill(signal);
    const { code } = await this.end(STOP_MS);
    return { code, ms: performance.now() - begun };
  }

  /** Ends it, whatever state it is in. */
  async remove(): Promise<void> {
    if (this.running) this.kill("SIGTERM");
    await this.end(STOP_MS).catch(() => this.kill("SIGKILL"));
    await this.child.status;
    await this.pipes;
  }
}

/**
 * Waits for a condition by asking again and again.
 * @param ask returns null (or throws, to give up) while it does not hold.
 * @throws Error after `ms`, with the log.
 */
export async function until<T>(
  what: string,
  ask: () => T | null | Promise<T | null>,
  { ms = PATIENCE_MS, log = () => "" }: { ms?: number; log?: () => string } = {},
): Promise<T> {
  for (const end = performance.now() + ms;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${what}\n${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * @returns a configuration with a policy that is compiled at once and, where there is a gate, the diode
 * that the watch of a box judges by, unless it names others.
 */
function judgedConfig(text: string | null = "", gate: boolean): string | null {
  if (text === null) return null;
  let judged = text;
  if (!/^\[policy\]/m.test(text)) judged += '\n[policy]\ndefault = "hateless"\n';
  if (gate && !/^\[diode\]/m.test(text)) judged += '\n[diode]\nname = "hateless"\n';
  return judged;
}
