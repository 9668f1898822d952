/** Whatever a diode's file holds, there is an answer, or an error that says where: and soon. */
import { assert, fail } from "@std/assert";
import { damagedFile } from "./diode_files.ts";
import type { Found, Work } from "./diode_files_worker.ts";

const FILES = 100_000;
/** Reading no file may take longer. */
const MOST_MS = 2000;

/** @throws when one file takes so long that the thread seems to hang; its text is in the message. */
function readAll(from: number, to: number): Promise<Found> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("./diode_files_worker.ts", import.meta.url), {
    type: "module",
  });
  const { promise, resolve, reject } = Promise.withResolvers<Found>();
  worker.onmessage = (message: MessageEvent<Found>) => resolve(message.data);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(`the thread failed at file ${progress[0]}: ${event.message}`));
  };
  worker.postMessage({ from, to, progress } satisfies Work);
  let [last, since] = [-1, performance.now()];
  const watch = setInterval(() => {
    const file = Atomics.load(progress, 0);
    if (file !== last) [last, since] = [file, performance.now()];
    else if (performance.now() - since > 15 * MOST_MS) {
      reject(new Error(`file ${file} hangs: ${JSON.stringify(damagedFile(file))}`));
    }
  }, 200);
  return promise.finally(() => {
    clearInterval(watch);
    worker.terminate();
  });
}

Deno.test("100,000 damaged files: an answer or an error with its place, never a hang", async () => {
  const found = await readAll(0, FILES);
  for (const { file, why } of found.faults.slice(0, 5)) {
    fail(
      `${found.faults.length} faults; file ${file}: ${why}\n${JSON.stringify(damagedFile(file))}`,
    );
  }
  const { slowest } = found;
  const text = JSON.stringify(damagedFile(slowest.file)).slice(0, 2000);
  assert(slowest.ms < MOST_MS, `file ${slowest.file} took ${slowest.ms} ms: ${text}`);
  assert(found.read > FILES / 10 && found.refused > FILES / 10, JSON.stringify(found));
  assert(found.compiled > FILES / 1000, JSON.stringify(found));
});
