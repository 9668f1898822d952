/** A request through the API while the virtual machine is killed: the user's stream never hangs. */
import { assert, assertEquals } from "@std/assert";
import { kill } from "../../ffi/process.ts";
import type { Box } from "../tools/daemon.ts";
import { fault } from "./fault.ts";

interface Listed {
  id: string;
  sequence: number;
  verdict: { outcome: string };
}

async function receipts(box: Box): Promise<Listed[]> {
  return (await (await box.fetch("/api/receipts")).json()).receipts;
}

fault("QEMU is killed in the middle of an answer", async (world) => {
  const box = await world.box();
  const daemon = await box.serving();
  const before = await daemon.ready();
  const answer = await box.chat(400);
  const id = answer.headers.get("vei-receipt");
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/"content":"[^"]/.test(text)) {
    const { value, done } = await reader.read();
    assert(!done, text);
    text += value;
  }
  kill(before.enclave!.pid!, "SIGKILL");
  const killed = performance.now();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    text += piece.value;
  }
  assert(performance.now() - killed < 20_000, "the stream hung");
  assert(text.trimEnd().split("\n").at(-1)!.includes('"error"'), text.slice(-500));
  assert(!text.includes("[DONE]"));
  const [last, ...earlier] = await receipts(box);
  assertEquals([last.id, last.verdict.outcome, earlier.length], [id, "interrupted", 0]);

  const { restarts } = before.enclave!;
  await daemon.until(
    "the next virtual machine",
    ({ phase, enclave }) => phase === "ready" && enclave!.restarts > restarts,
  );
  const next = await (await box.chat(8)).text();
  assert(next.includes("[DONE]"), next);
  assertEquals((await receipts(box)).map((one) => one.verdict.outcome), [
    "completed",
    "interrupted",
  ]);

  // A client that hangs up frees the slot: the next request is answered at once, not in line.
  const hangUp = await box.chat(4000);
  await hangUp.body!.cancel();
  const begun = performance.now();
  assert((await (await box.chat(8)).text()).includes("[DONE]"));
  const seconds = (performance.now() - begun) / 1000;
  assert(seconds < 30, `the cancelled run held the slot for ${seconds} s`);
  await daemon.stop();
});

fault("the model breaks the rule, in a request and outside of one", async (world) => {
  const box = await world.box({ model: { says: ["I", " hate", " it"] } });
  const daemon = await box.serving();
  const text = await (await box.chat(8)).text();
  const last = JSON.parse(text.match(/^data: \{.*"vei".*$/m)![0].slice(6));
  assertEquals(last.choices[0].finish_reason, "content_filter");
  const { outcome, by, rule } = last.vei.verdict;
  assertEquals([outcome, by, rule], ["aborted", "kernel", "predicate"]);
  assert(!text.includes("hate"), text);

  // Straight at the model server: no request of ours, so its drop is an incident, once.
  const stop = new AbortController();
  const read = (async () => {
    let said = "";
    for await (const piece of box.ask(stop.signal, 8)) said += piece;
    return said;
  })().catch(() => "");
  const listed = async () => (await receipts(box)) as (Listed & { kind: string })[];
  for (const begun = Date.now(); (await listed()).length < 2;) {
    assert(Date.now() - begun < 60_000, "no incident was recorded");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  stop.abort();
  assert(!(await read).includes("hate"));
  await new Promise((resolve) => setTimeout(resolve, 5000));
  assertEquals((await listed()).map((one) => one.kind), ["incident", "exchange"], daemon.log);
  await daemon.stop();
});
