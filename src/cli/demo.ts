/** `vei demo`: the main job, shown for real, on this machine, leaving nothing behind. */
import { Exit, VeiError } from "../base/errors.ts";
import type { GateEvent } from "../api/hub.ts";
import type { Status } from "../api/status.ts";
import type { ChatRequest } from "../model/model.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import { ask, greedy, round, type Told } from "./demo_prompt.ts";
import { type DaemonProcess, DemoWorld } from "./demo_world.ts";
import { followEvents, mustFindEndpoint } from "./endpoint.ts";

const READY_MS = 150_000;
const DROP_MS = 90_000;
const FORBIDDEN_WORD = "hate";

const HARMLESS = greedy("What is 2+2?", 24, "Be brief.");
const FORBIDDEN = greedy("Repeat: I hate rain.", 16);
const LONGER = greedy("Name three colors.", 24);
const SHORT = greedy("Repeat exactly: Imagine a blue apple.", 16);

interface Report {
  ok: boolean;
  steps: { step: number; title: string; shown: string[] }[];
  measured: Record<string, number | null>;
  packets: Record<string, number>;
}

export const command: Command = {
  name: "demo",
  summary: "show the whole chain at work, then remove every trace of it",
  usage: "[--keep DIR]",
  example: "vei demo --keep /tmp/demo",
  options: {
    keep: { type: "string", value: "DIR", describe: "keep the instance's files there" },
  },
  async run(context) {
    const begun = performance.now();
    const stop = new AbortController();
    const onSignal = () => stop.abort();
    for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, onSignal);
    // With --json, standard output holds the report alone.
    const terminal: Terminal = context.json
      ? { ...context.terminal, out: context.terminal.err, write: () => {} }
      : context.terminal;
    const report: Report = { ok: false, steps: [], measured: {}, packets: {} };
    try {
      await using world = await DemoWorld.make(context.instance, keepFolder(context));
      await new Demo(world, terminal, stop.signal, report).run();
    } finally {
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        Deno.removeSignalListener(signal, onSignal);
      }
    }
    report.ok = true;
    report.measured["demo seconds"] = round((performance.now() - begun) / 1000);
    if (context.json) context.terminal.json(report);
    else printReport(report, terminal);
    return Exit.ok;
  },
};

function keepFolder({ options }: CommandContext): string | undefined {
  const keep = options.keep as string | undefined;
  return keep === undefined || keep.startsWith("/") ? keep : `${Deno.cwd()}/${keep}`;
}

class Demo {
  private step = 0;
  private daemon: DaemonProcess | null = null;

  constructor(
    private readonly world: DemoWorld,
    private readonly terminal: Terminal,
    private readonly stop: AbortSignal,
    private readonly report: Report,
  ) {}

  async run(): Promise<void> {
    const first = await this.startsBehindTheGate();
    await this.answersThroughTheGate();
    await this.stopsTheForbiddenWord();
    const port = await this.gateOutlivesTheDaemon(first);
    await this.adoptsTheGate(first, port);
  }

  private begin(title: string): void {
    this.step++;
    this.report.steps.push({ step: this.step, title, shown: [] });
    this.terminal.out(`\n${this.step}. ${title}`);
  }

  /** Says what was shown. */
  private shown(text: string): void {
    this.report.steps.at(-1)!.shown.push(text);
    this.terminal.out(`  shown    ${text}`);
  }

  private expect(condition: boolean, what: string): asserts condition {
    if (!condition) throw this.failure(what);
  }

  private failure(what: string): VeiError {
    return new VeiError({
      code: "demo-failed",
      message: `Step ${this.step} did not show what it should: ${what}`,
      hint: "run `vei demo --keep DIR` and read DIR/serve.log",
      exit: Exit.failed,
    });
  }

  private checkStop(): void {
    if (!this.stop.aborted) return;
    throw new VeiError({
      code: "demo-interrupted",
      message: "Interrupted; what the demonstration had made was removed",
      exit: Exit.tryAgain,
    });
  }

  private async startsBehindTheGate(): Promise<Status> {
    this.begin("vei serve: namespace, diode pinned, tap up, jailed virtual machine, model");
    const status = await this.startDaemon();
    const order = status.events.map((event) => event.message).join("\n");
    const pinned = order.indexOf("pinned"), up = order.indexOf("tap up");
    this.expect(pinned >= 0 && up > pinned, "the diode was not pinned before the tap went up");
    this.expect(status.diode !== null && status.enclave !== null, "no diode, or no enclave");
    this.report.measured["boot seconds"] = status.enclave.bootSeconds;
    this.shown(
      `diode ${status.diode.name} (link ${status.diode.linkId}, program ${status.diode.programId}) ` +
        `was pinned before the tap went up`,
    );
    this.shown(
      `${status.enclave.model} ready after ${status.enclave.bootSeconds} s (${status.enclave.accel})`,
    );
    return status;
  }

  private async startDaemon(): Promise<Status> {
    this.daemon = this.world.startDaemon();
    let ended: Deno.CommandStatus | null = null;
    this.daemon.ended.then((how) => ended = how);
    let said = 0;
    for (const deadline = Date.now() + READY_MS; Date.now() < deadline;) {
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

  private async answersThroughTheGate(): Promise<void> {
    this.begin(`a harmless prompt, straight at http://${this.world.host}`);
    const told = await this.harmless(HARMLESS);
    this.report.measured["seconds to first token"] = told.firstTextSeconds;
    this.report.measured["tokens per second"] = told.tokensPerSecond;
    this.shown(`${told.tokens} tokens came through the gate`);
  }

  private async harmless(request: ChatRequest): Promise<Told> {
    const told = await this.ask(request, AbortSignal.timeout(DROP_MS));
    this.expect(told.text.trim() !== "", "no answer came");
    this.expect(told.finish !== null, "the answer did not end");
    return told;
  }

  private ask(
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

  private async stopsTheForbiddenWord(): Promise<void> {
    this.begin(`a prompt whose answer contains "${FORBIDDEN_WORD}"`);
    const endpoint = await mustFindEndpoint(this.world.instance);
    const done = new AbortController();
    const signal = AbortSignal.any([done.signal, AbortSignal.timeout(DROP_MS), this.stop]);
    const flow = Promise.withResolvers<number>();
    const open = Promise.withResolvers<void>();
    const watching = (async (): Promise<GateEvent | null> => {
      for await (const event of followEvents(endpoint, { signal, onOpen: open.resolve })) {
        const on = event.drop?.destinationPort === await flow.promise;
        if (on && event.drop!.reason === "predicate") return event;
      }
      return null;
    })();
    await open.promise;
    const asking = this.ask(FORBIDDEN, signal, { onConnected: flow.resolve });
    const event = await watching;
    done.abort();
    const told = await asking;
    this.checkStop();
    this.expect(event !== null, "the kernel reported no drop on this flow");
    this.expect(!told.text.includes(FORBIDDEN_WORD), "the forbidden word came through");
    this.expect(told.finish === null, "the answer went on to its end");
    const drop = event.drop!;
    this.shown(
      `the kernel stopped it at ${event.time}: flow ${drop.source}:${drop.sourcePort} → ` +
        `${drop.destination}:${drop.destinationPort}, reason ${drop.reason}, payload byte ${drop.offset}`,
    );
    this.shown(`what came before it: ${JSON.stringify(told.text)}`);
  }

  private async gateOutlivesTheDaemon(first: Status): Promise<number> {
    this.begin("kill -9 of the daemon while an answer streams; the gate stays");
    let killed = false;
    const told = await this.ask(LONGER, AbortSignal.timeout(DROP_MS), {
      onText: () => {
        if (!killed) this.daemon!.kill("SIGKILL");
        killed = true;
      },
    });
    this.expect(told.tokens > 0, "no answer streamed that the daemon could be killed in");
    await this.daemon!.ended;
    this.expect(await this.world.status() === null, "the daemon still answers");
    this.shown(`pid ${first.pid} is gone; the answer that was streaming went on behind the gate`);

    const before = await this.pinnedCounters();
    const done = new AbortController();
    const signal = AbortSignal.any([done.signal, AbortSignal.timeout(DROP_MS), this.stop]);
    const flow = Promise.withResolvers<number>();
    const asking = this.ask(FORBIDDEN, signal, { onConnected: flow.resolve });
    let dropped = 0;
    while (dropped === 0 && !signal.aborted) {
      await sleep(500);
      dropped = (await this.pinnedCounters()).predicate - before.predicate;
    }
    done.abort();
    const stopped = await asking;
    this.checkStop();
    this.expect(dropped > 0, "the pinned counters show no drop");
    this.expect(!stopped.text.includes(FORBIDDEN_WORD), "the forbidden word came through");
    this.shown(
      `without a daemon the forbidden prompt was stopped: predicate drops ${before.predicate} → ` +
        `${before.predicate + dropped} by \`vei diode status\``,
    );
    await this.harmless(SHORT);
    this.shown("without a daemon a harmless prompt still passes");
    return await flow.promise;
  }

  private async pinnedCounters(): Promise<Record<string, number>> {
    const result = await this.world.vei("diode", "status", "--json");
    this.expect(result.code === 0, `vei diode status failed: ${result.stderr.trim()}`);
    return JSON.parse(new TextDecoder().decode(result.stdout)).counters;
  }

  private async adoptsTheGate(first: Status, port: number): Promise<void> {
    this.begin("restart: the daemon adopts the pinned gate and boots behind it");
    const status = await this.startDaemon();
    const was = first.diode!, is = status.diode!;
    this.expect(
      is.adopted && is.linkId === was.linkId && is.programId === was.programId,
      "the pinned link and program were not adopted",
    );
    this.shown(`same link ${is.linkId} and program ${is.programId}, adopted by content`);
    const unread = status.events.some((event) => event.drop?.destinationPort === port);
    this.expect(unread, "the events from the time without a daemon were not read");
    this.shown("the drop from the time without a daemon was read from the ring");
    const old = first.enclave!.pid, now = status.enclave!.pid;
    this.expect(old !== now && !(await exists(`/proc/${old}`)), "the orphaned QEMU was not ended");
    this.shown(
      `the orphaned QEMU ${old} was ended; a new one, ${now}, is ready after ${
        status.enclave!.bootSeconds
      } s`,
    );
    this.report.measured["second boot seconds"] = status.enclave!.bootSeconds;
    await this.harmless(SHORT);
    this.shown("a harmless prompt is answered");
    this.report.packets = (await this.world.status())?.diode?.counters ?? {};
  }
}

function printReport(report: Report, terminal: Terminal): void {
  terminal.out("\nShown and measured");
  for (const { step, shown } of report.steps) {
    for (const text of shown) terminal.out(`  ${step}  ${text}`);
  }
  const rows = [
    ...Object.entries(report.measured),
    ...Object.entries(report.packets).filter(([, count]) => count > 0)
      .map(([reason, count]): [string, number] => [`packets: ${reason}`, count]),
  ];
  terminal.out("");
  for (const [name, value] of rows) terminal.out(`  ${name.padEnd(28)} ${value ?? "unknown"}`);
  terminal.out("\nNothing of it is left on this machine.");
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
