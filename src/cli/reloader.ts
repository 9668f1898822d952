/**
 * Reads the configuration again when asked to: checked as a whole first, then taken over as a whole
 * or not at all. One at a time; whoever asks while one is under way gets another one after it, since
 * the files may have changed after they were read.
 */
import type { OpenEntry } from "../api/reload_entry.ts";
import type { Reloaded, ReloadStatus } from "../api/status.ts";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import type { Reload } from "../receipt/statement.ts";
import { changeOf, type InForce } from "./in_force.ts";

export interface ReloaderParts {
  /** Of the configuration file, for messages. */
  path: string;
  /** Reads configuration, policy and diode, and checks them. @throws VeiError. */
  read(before: InForce): Promise<InForce>;
  /** Makes it durable that a change is about to be made. @throws VeiError `log-unwritable`. */
  begin(reload: Reload): Promise<OpenEntry>;
  /** Makes the change, at once. @throws VeiError: then all is as it was before. */
  switchTo(after: InForce): void;
  /** Told when one begins and how it ended. */
  onBegin(): void;
  onEnd(result: Reloaded): void;
  now(): Date;
}

/** Whoever asked for one looks for its result a moment later. */
const KEPT_RESULTS = 16;

type Outcome = Omit<Reloaded, "number" | "time" | "generation">;

export class Reloader {
  private generation = 1;
  private started = 0;
  private readonly results: Reloaded[] = [];
  private asked = false;
  private running: Promise<void> | null = null;
  /** `waiting`: what is asked for is done once we are opened. */
  private state: "waiting" | "open" | "closed" = "waiting";
  private readonly outcomes = { applied: 0, unchanged: 0, refused: 0 };

  constructor(private readonly parts: ReloaderParts, private inForce: InForce) {}

  /** What holds now. */
  get current(): InForce {
    return this.inForce;
  }

  /** @returns what `/api/status` says of it. */
  status(): ReloadStatus {
    const { generation, started, results, outcomes } = this;
    return {
      config: this.parts.path,
      sha256: this.inForce.configSha256,
      generation,
      started,
      finished: results.at(-1)?.number ?? 0,
      outcomes: { ...outcomes },
      results: [...results],
    };
  }

  /** Asks for one more, which begins after this call. */
  request(): void {
    this.asked = true;
    if (this.state === "open") this.running ??= this.run();
  }

  /** From now on what is asked for is done. */
  open(): void {
    if (this.state !== "waiting") return;
    this.state = "open";
    if (this.asked) this.request();
  }

  /** Settled when nothing is under way; nothing begins any more. */
  async close(): Promise<void> {
    this.state = "closed";
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.asked && this.state === "open") {
      this.asked = false;
      const number = ++this.started;
      this.parts.onBegin();
      const outcome = await this.once();
      this.outcomes[outcome.outcome]++;
      const time = this.parts.now().toISOString();
      const result = { number, time, generation: this.generation, ...outcome };
      this.results.push(result);
      if (this.results.length > KEPT_RESULTS) this.results.shift();
      this.parts.onEnd(result);
    }
    this.running = null;
  }

  private async once(): Promise<Outcome> {
    try {
      const after = await this.parts.read(this.inForce);
      const change = changeOf(this.inForce, after, this.parts.path);
      if (change === null) return { outcome: "unchanged", change, receipt: null, error: null };
      const entry = await this.parts.begin({ generation: this.generation + 1, ...change });
      const error = await this.switchWith(entry, after);
      return { outcome: "applied", change, receipt: entry.id, error };
    } catch (cause) {
      return { outcome: "refused", change: null, receipt: null, error: errorOf(cause) };
    }
  }

  /** @returns why the entry could not be ended; the change is made then. */
  private async switchWith(entry: OpenEntry, after: InForce): Promise<Reloaded["error"]> {
    try {
      if (this.state === "closed") throw stopping();
      this.parts.switchTo(after);
    } catch (cause) {
      const why = messageOf(cause) || "unknown";
      await entry.finish({ outcome: "interrupted", why }, this.parts.now()).catch(() => {});
      throw cause;
    }
    this.inForce = after;
    this.generation++;
    try {
      await entry.finish({ outcome: "applied" }, this.parts.now());
      return null;
    } catch (cause) {
      return errorOf(cause);
    }
  }
}

/** @returns why nothing is changed any more. */
export function stopping(): VeiError {
  return new VeiError({
    code: "daemon-stopping",
    message: "The daemon is stopping",
    hint: "it reads its configuration when it starts again",
    exit: Exit.tryAgain,
  });
}

function errorOf(cause: unknown): NonNullable<Reloaded["error"]> {
  if (cause instanceof VeiError) return cause.toJSON();
  return { code: "internal", message: messageOf(cause), hint: "", exit: Exit.internal };
}
