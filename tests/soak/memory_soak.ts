/**
 * One hour of requests to `vei serve --model mock`: its resident memory stays flat. Every kind of
 * request is among them: whole and streamed answers, refused prompts, answers that the monitor ends,
 * clients that hang up, status, metrics and receipts read on the way.
 *
 * $VEI_SOAK_SECONDS (3600), $VEI_SOAK_RATE (requests a second, 20).
 */
import { openLibraries } from "../../ffi/native.ts";
import { Box } from "../tools/daemon.ts";

openLibraries();

const SECONDS = Number(Deno.env.get("VEI_SOAK_SECONDS") ?? 3600);
const RATE = Number(Deno.env.get("VEI_SOAK_RATE") ?? 20);
/** Before that the engine's own heap grows to its size: by a tenth between 5 and 10 minutes. */
const WARM_SECONDS = 900;
/** What the least memory at the end may lie over that after the warm-up; 1 MB was measured. */
const ALLOWED_MB = 8;
/** What is shorter shows the engine's own growth, not ours. */
const JUDGED_SECONDS = 1800;

const MB = 1e6;

/** @returns resident memory in megabytes (proc(5), VmRSS). */
function residentMb(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024 / MB;
}

const WORDS = "the quick brown fox jumps over the lazy dog and says that it is fine ".repeat(4);

async function one(box: Box, n: number): Promise<void> {
  switch (n % 10) {
    case 0: // The monitor ends it.
      await (await box.tell(`${WORDS} I hate it`, { stream: true })).text();
      return;
    case 1: { // Refused before the model sees it.
      const answer = await box.fetch("/api/generate", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ prompt: "hate", wait_time: 5 }),
      });
      await answer.text();
      return;
    }
    case 2: // The client hangs up.
      await (await box.tell(WORDS, { stream: true })).body!.cancel();
      return;
    case 3: {
      const { receipts } = await (await box.fetch("/api/receipts?limit=20")).json();
      if (receipts.length > 0) await (await box.fetch(`/api/receipts/${receipts[0].id}`)).text();
      return;
    }
    case 4:
      await (await box.fetch("/metrics")).text();
      await (await box.fetch("/api/status")).text();
      return;
    case 5:
      await (await box.tell(WORDS, { stream: true })).text();
      return;
    default:
      await (await box.tell(WORDS)).text();
  }
}

const samples: { second: number; mb: number }[] = [];
let requests = 0;
await using box = await Box.make({ model: null, image: false });
const daemon = box.serve({ plain: "mock" });
const { pid } = await daemon.ready();
console.log(
  `${SECONDS} s at ${RATE} requests a second, pid ${pid}, ${residentMb(pid).toFixed(1)} MB`,
);
const begun = performance.now();
const elapsed = () => (performance.now() - begun) / 1000;
let nextSample = 0;
let nextLine = 0;
while (elapsed() < SECONDS) {
  // Four at once, as many as the daemon runs: its queue is used and never full.
  const burst = Array.from({ length: 4 }, () => one(box, requests++));
  await Promise.all(burst);
  const second = elapsed();
  if (second >= nextSample) {
    samples.push({ second, mb: residentMb(pid) });
    nextSample = second + Math.min(10, SECONDS / 100);
  }
  if (second >= nextLine) {
    console.log(`${second.toFixed(0)} s, ${requests} requests, ${residentMb(pid).toFixed(1)} MB`);
    nextLine = second + Math.min(300, SECONDS / 4);
  }
  const ahead = requests / RATE - elapsed();
  if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead * 1000));
}

// A garbage-collected heap is a saw: what leaks lifts its lowest points.
const least = (from: number, to: number) =>
  Math.min(
    ...samples.filter(({ second }) => second >= from && second <= to).map(({ mb }) => mb),
  );
const at = (second: number) => samples.find((sample) => sample.second >= second) ?? samples.at(-1)!;
console.log(
  `${requests} requests: ${at(300).mb.toFixed(1)} MB after 5 minutes, ` +
    `${samples.at(-1)!.mb.toFixed(1)} MB after ${(elapsed() / 60).toFixed(0)}, ` +
    `most ${Math.max(...samples.map(({ mb }) => mb)).toFixed(1)} MB`,
);
const { code } = await daemon.stop();
if (code !== 0) throw new Error(`the daemon ended with ${code}:\n${daemon.log.slice(-2000)}`);
if (SECONDS < JUDGED_SECONDS) console.log("too short to tell whether it is flat");
else {
  const window = (SECONDS - WARM_SECONDS) / 4;
  const first = least(WARM_SECONDS, WARM_SECONDS + window);
  const last = least(SECONDS - window, SECONDS);
  const text = `${first.toFixed(1)} MB after the warm-up, ${last.toFixed(1)} MB at the end`;
  if (last - first > ALLOWED_MB) throw new Error(`its memory grew: ${text}`);
  console.log(`flat: ${text}`);
}
