/** Out of descriptors: at the start, and while it serves. */
import { assert, assertEquals } from "@std/assert";
import { run } from "../../src/host/run.ts";
import { endlessServer } from "../tools/plain_daemon.ts";
import { fault, sleep } from "./fault.ts";

/** Below this the runtime itself cannot start. */
const RUNTIME = 32;

fault("out of descriptors", async (world) => {
  const box = await world.box();
  for (const limit of [8, RUNTIME, 64, 255]) {
    const daemon = box.serve({ wrap: ["prlimit", `--nofile=${limit}:${limit}`] });
    const { code } = await daemon.end();
    if (limit < RUNTIME) assert(code !== 0, `${limit} descriptors`);
    else assertEquals(code, 69, `${limit} descriptors: ${daemon.log}`);
    assertEquals(box.tap(), null);
  }
});

fault("out of descriptors while it serves", async (world) => {
  await using model = endlessServer();
  const place = world.plain();
  const daemon = await place.serve(model.url);
  await (await daemon.ask(true)).body!.cancel();
  const setLimit = async (count: number) =>
    assertEquals(
      (await run("prlimit", [`--pid=${daemon.child.pid}`, `--nofile=${count}:4096`])).code,
      0,
    );
  const used = [...Deno.readDirSync(`/proc/${daemon.child.pid}/fd`)].length;
  await setLimit(used + 4);
  const stop = new AbortController();
  const asked = Array.from(
    { length: 20 },
    () =>
      daemon.ask(true, AbortSignal.any([stop.signal, AbortSignal.timeout(3000)]))
        .then((answer) => answer.text()).catch(() => ""),
  );
  await sleep(2000);
  assert(daemon.running, daemon.log);
  stop.abort();
  for (const text of await Promise.all(asked)) assert(!text.includes("[DONE]"));
  await setLimit(4096);
  await sleep(500);
  // It goes on as before.
  const answer = await daemon.ask(true);
  const reader = answer.body!.getReader();
  assert((await reader.read()).value!.length > 0);
  await reader.cancel();
});
