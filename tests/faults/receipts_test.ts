/** Receipts under faults, with a real daemon process before a model server of the test's own. */
import { assert, assertEquals } from "@std/assert";
import { seeded } from "../judge/random.ts";
import { endlessServer } from "../tools/plain_daemon.ts";
import { fault, MOMENTS, seedOf, sleep } from "./fault.ts";

fault("kill -9 of the daemon while it answers, at 20 random moments", async (world) => {
  const random = seeded(seedOf("kills while answering"));
  await using model = endlessServer();
  const place = world.plain();
  for (let moment = 0; moment < MOMENTS; moment++) {
    const daemon = await place.serve(model.url);
    const asked = [1, 2, 3].map(() => daemon.ask().then((answer) => answer.text()).catch(() => ""));
    await sleep(random.below(1500));
    await daemon.end("SIGKILL");
    // What was under way breaks off; the client sees no end of the answer.
    for (const text of await Promise.all(asked)) assert(!text.includes("[DONE]"), text);
  }
  const last = await place.serve("mock");
  const list = await place.list();
  console.log(`${list.length} receipts of ${MOMENTS * 3} requests`);
  for (const one of list) assertEquals(one.verdict.outcome, "interrupted");
  await last.end("SIGTERM");
  await place.serve("mock");
  assertEquals(await place.list(), list);
});

fault("a client hangs up", async (world) => {
  await using model = endlessServer();
  const place = world.plain();
  const daemon = await place.serve(model.url);
  const hangUp = new AbortController();
  const answer = await daemon.ask(true, hangUp.signal);
  await answer.body!.getReader().read();
  hangUp.abort();
  await model.gone;
  for (let list = await place.list();; list = await place.list()) {
    if (list.length === 0) continue;
    assertEquals(list.length, 1);
    assertEquals(list[0].verdict, { outcome: "interrupted", why: "the client went away" });
    break;
  }
});
