/** `vei demo`: the main job, shown for real, on this machine, leaving nothing behind. */
import { Exit } from "../base/errors.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import {
  adoptsTheGate,
  answersThroughTheGate,
  gateOutlivesTheDaemon,
  startsBehindTheGate,
  stopsTheForbiddenWord,
} from "./demo_gate.ts";
import { round } from "./demo_prompt.ts";
import {
  answersThroughTheApi,
  interruptedOnce,
  stopsTheCutWord,
  verifiesTheReceipts,
} from "./demo_receipts.ts";
import { type Report, Stage } from "./demo_stage.ts";
import { DemoWorld } from "./demo_world.ts";

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
      await show(new Stage(world, terminal, stop.signal, report));
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

async function show(stage: Stage): Promise<void> {
  const first = await startsBehindTheGate(stage);
  await answersThroughTheGate(stage);
  await stopsTheForbiddenWord(stage);
  await answersThroughTheApi(stage);
  await stopsTheCutWord(stage);
  const port = await gateOutlivesTheDaemon(stage, first);
  await adoptsTheGate(stage, first, port);
  await interruptedOnce(stage);
  await verifiesTheReceipts(stage);
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
