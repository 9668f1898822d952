/** The steps that show the gate in the kernel. */
import type { GateEvent } from "../api/hub.ts";
import type { Status } from "../api/status.ts";
import { askThroughApi } from "./demo_receipts.ts";
import {
  FORBIDDEN,
  FORBIDDEN_WORD,
  HARMLESS,
  LONGER,
  PROMPT_MS,
  SHORT,
  sleep,
  type Stage,
} from "./demo_stage.ts";
import { followEvents, mustFindEndpoint } from "./endpoint.ts";

/** @returns the first daemon's status. */
export async function startsBehindTheGate(stage: Stage): Promise<Status> {
  stage.begin("vei serve: namespace, diode pinned, tap up, jailed virtual machine, model");
  const status = await stage.startDaemon();
  const order = status.events.map((event) => event.message).join("\n");
  const pinned = order.indexOf("pinned"), up = order.indexOf("tap up");
  stage.expect(pinned >= 0 && up > pinned, "the diode was not pinned before the tap went up");
  stage.expect(status.diode !== null && status.enclave !== null, "no diode, or no enclave");
  stage.report.measured["boot seconds"] = status.enclave.bootSeconds;
  stage.shown(
    `diode ${status.diode.name} (link ${status.diode.linkId}, program ${status.diode.programId}) ` +
      `was pinned before the tap went up`,
  );
  stage.shown(
    `${status.enclave.model} ready after ${status.enclave.bootSeconds} s (${status.enclave.accel})`,
  );
  return status;
}

/** A harmless prompt, straight at the model server. */
export async function answersThroughTheGate(stage: Stage): Promise<void> {
  stage.begin(`a harmless prompt, straight at http://${stage.world.host}`);
  const told = await stage.harmless(HARMLESS);
  stage.report.measured["seconds to first token"] = told.firstTextSeconds;
  stage.report.measured["tokens per second"] = told.tokensPerSecond;
  stage.shown(`${told.tokens} tokens came through the gate`);
}

/** The kernel ends an answer, and its event on this very flow is shown. */
export async function stopsTheForbiddenWord(stage: Stage): Promise<void> {
  stage.begin(`a prompt whose answer contains "${FORBIDDEN_WORD}"`);
  const endpoint = await mustFindEndpoint(stage.world.instance);
  const done = new AbortController();
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(PROMPT_MS), stage.stop]);
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
  const asking = stage.ask(FORBIDDEN, signal, { onConnected: flow.resolve });
  const event = await watching;
  done.abort();
  const told = await asking;
  stage.checkStop();
  stage.expect(event !== null, "the kernel reported no drop on this flow");
  stage.expect(!told.text.includes(FORBIDDEN_WORD), "the forbidden word came through");
  stage.expect(told.finish === null, "the answer went on to its end");
  const drop = event.drop!;
  stage.shown(
    `the kernel stopped it at ${event.time}: flow ${drop.source}:${drop.sourcePort} → ` +
      `${drop.destination}:${drop.destinationPort}, reason ${drop.reason}, payload byte ${drop.offset}`,
  );
  stage.shown(`what came before it: ${JSON.stringify(told.text)}`);
}

/** @returns the port of a flow that was stopped while no daemon ran. */
export async function gateOutlivesTheDaemon(stage: Stage, first: Status): Promise<number> {
  stage.begin("kill -9 of the daemon while an answer streams; the gate stays");
  let killed = false;
  const told = await askThroughApi(stage, LONGER, () => {
    if (!killed) stage.daemon!.kill("SIGKILL");
    killed = true;
  });
  stage.expect(killed, "no answer streamed that the daemon could be killed in");
  stage.expect(told === null, "the answer ended as if nothing had happened");
  await stage.daemon!.ended;
  stage.expect(await stage.world.status() === null, "the daemon still answers");
  stage.shown(`pid ${first.pid} is gone, in the middle of an answer`);

  const before = await pinnedCounters(stage);
  const done = new AbortController();
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(PROMPT_MS), stage.stop]);
  const flow = Promise.withResolvers<number>();
  const asking = stage.ask(FORBIDDEN, signal, { onConnected: flow.resolve });
  const port = await flow.promise;
  while (!signal.aborted && !(await droppedOn(stage, port))) await sleep(500);
  done.abort();
  const stopped = await asking;
  stage.checkStop();
  const after = await pinnedCounters(stage);
  stage.expect(await droppedOn(stage, port), "the pinned diode shows no drop on this flow");
  stage.expect(after.predicate > before.predicate, "the pinned counters show no drop");
  stage.expect(!stopped.text.includes(FORBIDDEN_WORD), "the forbidden word came through");
  stage.shown(
    `without a daemon the forbidden prompt was stopped: predicate drops ${before.predicate} → ` +
      `${after.predicate} by \`vei diode status\`, this flow by \`vei diode logs\``,
  );
  await stage.harmless(SHORT);
  stage.shown("without a daemon a harmless prompt still passes");
  return port;
}

/** Earlier flows may still send again what was dropped, so the flow itself is looked for. */
async function droppedOn(stage: Stage, port: number): Promise<boolean> {
  const result = await stage.world.vei("diode", "logs", "--json");
  stage.expect(result.code === 0, `vei diode logs failed: ${result.stderr.trim()}`);
  const lines = new TextDecoder().decode(result.stdout).trim().split("\n");
  const events: GateEvent[] = lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  return events.some(({ drop }) => drop?.destinationPort === port && drop.reason === "predicate");
}

async function pinnedCounters(stage: Stage): Promise<Record<string, number>> {
  const result = await stage.world.vei("diode", "status", "--json");
  stage.expect(result.code === 0, `vei diode status failed: ${result.stderr.trim()}`);
  return JSON.parse(new TextDecoder().decode(result.stdout)).counters;
}

/** A new daemon behind the same gate. */
export async function adoptsTheGate(stage: Stage, first: Status, port: number): Promise<void> {
  stage.begin("restart: the daemon adopts the pinned gate and boots behind it");
  const status = await stage.startDaemon();
  const was = first.diode!, is = status.diode!;
  stage.expect(
    is.adopted && is.linkId === was.linkId && is.programId === was.programId,
    "the pinned link and program were not adopted",
  );
  stage.shown(`same link ${is.linkId} and program ${is.programId}, adopted by content`);
  const unread = status.events.some((event) => event.drop?.destinationPort === port);
  stage.expect(unread, "the events from the time without a daemon were not read");
  stage.shown("the drop from the time without a daemon was read from the ring");
  const old = first.enclave!.pid, now = status.enclave!.pid;
  stage.expect(old !== now && !(await exists(`/proc/${old}`)), "the orphaned QEMU was not ended");
  stage.shown(
    `the orphaned QEMU ${old} was ended; a new one, ${now}, is ready after ${
      status.enclave!.bootSeconds
    } s`,
  );
  stage.report.measured["second boot seconds"] = status.enclave!.bootSeconds;
  await stage.harmless(SHORT);
  stage.shown("a harmless prompt is answered");
  stage.report.packets = (await stage.world.status())?.diode?.counters ?? {};
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
