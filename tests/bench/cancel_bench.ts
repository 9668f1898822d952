/** After a client went away: how soon the real model's slot takes the next request, in batches. */
import { openLibraries } from "../../ffi/native.ts";
import { chat } from "../../src/model/enclave.ts";
import { EnclaveWorld } from "../enclave/enclave_world.ts";

openLibraries();
const LIMIT_BATCHES = 2;
const words =
  "The quick brown fox jumps over the lazy dog while seven wizards watch quietly from afar.";

await using world = await EnclaveWorld.make();
await using _enclave = await world.boot();

/** Yields the time of each progress event of a request, in ms. */
async function* progress(signal: AbortSignal): AsyncGenerator<{ at: number; processed: number }> {
  const { guest } = world.config.link;
  const connection = await Deno.connect({ hostname: guest, port: 8080 });
  const prompt = [{ role: "user" as const, content: words }];
  const request = { prompt, maxTokens: 1, temperature: 0, seed: 0 };
  for await (const delta of chat(connection, `${guest}:8080`, request, { signal })) {
    if (delta.kind === "progress") yield { at: performance.now(), processed: delta.processed };
  }
}

const cancel = new AbortController();
const seen: { at: number; processed: number }[] = [];
for await (const event of progress(cancel.signal)) {
  seen.push(event);
  if (seen.length === 4) break;
}
const cancelled = performance.now();
cancel.abort();
const batches = seen.slice(2).map((event, i) => event.at - seen[i + 1].at);
const batch = Math.max(...batches);
for await (const event of progress(new AbortController().signal)) {
  // The first event of the next request: its slot is taken, nothing of it read yet.
  const waited = event.at - cancelled;
  const inBatches = waited / batch;
  console.log(
    `a batch takes ${(batch / 1000).toFixed(1)} s (tokens: ${
      seen.map((one) => one.processed).join(", ")
    })`,
  );
  console.log(
    `the next request began ${(waited / 1000).toFixed(1)} s after the cancel: ${
      inBatches.toFixed(2)
    } batches, ` +
      `ratio to ${LIMIT_BATCHES}: ${(inBatches / LIMIT_BATCHES).toFixed(2)}`,
  );
  break;
}
