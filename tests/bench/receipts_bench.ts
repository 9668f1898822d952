/**
 * Start of the daemon with the mock model where there are many receipts: each one's signature is
 * checked before the first question is taken. $VEI_BENCH_RECEIPTS: how many, `0,1000,20000`.
 */
import { freshName, startVei } from "../tools/vei.ts";
import { addReceipts } from "../tools/many_receipts.ts";

Deno.env.set(
  "VEI_BINARY",
  Deno.env.get("VEI_BINARY") ?? new URL("../../dist/vei", import.meta.url).pathname,
);
const COUNTS = (Deno.env.get("VEI_BENCH_RECEIPTS") ?? "0,1000,20000").split(",").map(Number);
const ROUNDS = 3;

/** @returns a process's time on processors so far, in seconds (proc(5), stat: utime and stime). */
function processorSeconds(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

for (const count of COUNTS) {
  const state = await Deno.makeTempDir({ prefix: "vei-bench-" });
  try {
    await addReceipts(state, count);
    const { size } = await Deno.stat(`${state}/receipts.log`);
    const config = `${state}/vei.toml`;
    const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const listen = `127.0.0.1:${(free.addr as Deno.NetAddr).port}`;
    free.close();
    await Deno.writeTextFile(
      config,
      `[api]\nlisten = "${listen}"\n[policy]\ndefault = "hateless"\n`,
    );
    for (let round = 1; round <= ROUNDS; round++) {
      const begun = performance.now();
      const args = ["--instance", freshName(), "--state", state, "--config", config];
      const child = startVei(["serve", "--model", "mock", ...args]);
      for (;;) {
        const ready = await fetch(`http://${listen}/readyz`).then(
          async (answer) => (await answer.text(), answer.ok),
          () => false,
        );
        if (ready) break;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      const seconds = (performance.now() - begun) / 1000;
      console.log(
        `${count} receipts (${(size / 1e6).toFixed(1)} MB), start ${round} of ${ROUNDS}: ` +
          `ready in ${seconds.toFixed(2)} s, ${processorSeconds(child.pid)} s of them computing`,
      );
      child.kill("SIGTERM");
      await child.output();
    }
  } finally {
    await Deno.remove(state, { recursive: true });
  }
}
