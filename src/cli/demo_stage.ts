/** The stage of the demonstration: what its steps share. */
import { Exit, VeiError } from "../base/errors.ts";
import type { Status } from "../api/status.ts";
import type { ChatRequest } from "../model/model.ts";
import type { Terminal } from "./command.ts";
import { ask, greedy, type Told } from "./demo_prompt.ts";
import type { DaemonProcess, DemoWorld } from "./demo_world.ts";

const READY_MS = 150_000;
/** For one prompt and its answer, or the event that ends it. */
export const PROMPT_MS = 90_000;
export const FORBIDDEN_WORD = "hate";

// Without a system message of ours the model's template adds a longer one of its own.
const SYSTEM = "Be brief.";
export const HARMLESS = greedy("What is 2+2?", 24, SYSTEM);
export const FORBIDDEN = greedy("Repeat exactly: I hate Mondays", 16, SYSTEM);
export const LONGER = greedy("Repeat: What if we could fly?", 24, SYSTEM);
export const SHORT = greedy("What is the capital of France?", 16, SYSTEM);

export interface Report {
  ok: boolean;
  steps: { step: number; title: string; shown: string[] }[];
  measured: Record<string, number | null>;
  packets: Record<string, number>;
}

export class Stage {
  private step = 0;
  daemon: DaemonProcess | null = null;

  constructor(
    readonly world: DemoWorld,
    readonly terminal: Terminal,
    readonly stop: AbortSignal,
    readonly report: Report,
  ) {}

  begin(title: string): void {
    this.step++;
    this.report.steps.push({ step: this.step, title, shown: [] });
    this.terminal.out(`\n${this.step}. ${title}`);
  }

  /** Says what was shown. */
  shown(text: string): void {
    this.report.steps.at(-1)!.shown.push(text);
    this.terminal.out(`  shown    ${text}`);
  }

  /** @throws VeiError `demo-failed` unless `condition` holds. */
  expect(condition: boolean, what: string): asserts condition {
    if (!condition) throw this.failure(what);
  }

  failure(what: string): VeiError {
    return new VeiError({
      code: "demo-failed",
      message: `Step ${this.step} did not show what it should: ${what}`,
      hint: "run `vei demo --keep DIR` and read DIR/serve.log",
      exit: Exit.failed,
    });
  }

  checkStop(): void {
    if (!this.stop.aborted) return;
    throw new VeiError({
      code: "demo-interrupted",
      message: "Interrupted; what the demonstration had made was removed",
      exit: Exit.tryAgain,
    });
  }

  /** @returns the daemon's status once it is ready. */
  async startDaemon(): Promise<Status> {
    this.daemon = this.world.startDaemon();
    let ended: Deno.CommandStatus | null = null;
    this.daemon.ended.then((how) => ended = how);
    let said = 0;
    for (const deadline = performance.now() + READY_MS; performance.now() < deadline;) {
      this.checkStop();
      this.expect(ended === null, `vei serve ended by itself${await this.lastWords()}`);
      const status = await this.world.status();
      for (const event of status?.events ?? []) {
        if (event.id <= said || event.kind === "drop") continue;
        said = event.id;
        this.terminal.err(`  serve    ${event.message}`);
      }
      if (status?.phase === "ready") return status;
      await sleep(100);
    }
    throw this.failure(`vei serve was not ready after ${READY_MS / 1000} s`);
  }

  private async lastWords(): Promise<string> {
    const log = await Deno.readTextFile(`${this.world.folder}/serve.log`).catch(() => "");
    const last = log.split("\n").findLast((line) => line.startsWith("vei: "));
    return last === undefined ? "" : `: ${last.slice(5)}`;
  }

  /** A prompt that must be answered to its end. */
  async harmless(request: ChatRequest): Promise<Told> {
    const told = await this.ask(request, AbortSignal.timeout(PROMPT_MS));
    this.expect(told.text.trim() !== "", "no answer came");
    this.expect(told.finish !== null, "the answer did not end");
    return told;
  }

  /** A prompt, straight at the model server. */
  ask(
    request: ChatRequest,
    signal: AbortSignal,
    more: { onConnected?: (port: number) => void; onText?: (text: string) => void } = {},
  ): Promise<Told> {
    this.checkStop();
    return ask(request, {
      connect: () => this.world.connect(),
      host: this.world.host,
      terminal: this.terminal,
      signal: AbortSignal.any([signal, this.stop]),
      ...more,
    });
  }
}

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
