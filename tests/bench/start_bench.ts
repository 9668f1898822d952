/** Size of the binary, start of the daemon with the mock model, and what the gate adds to a token. */
import { shippedPolicy } from "../../diodes/shipped.ts";
import { compilePolicy } from "../../src/api/policy.ts";
import { runSession } from "../../src/gate/session.ts";
import { freshName, startVei } from "../tools/vei.ts";

const LIMITS = { megabytes: 95, readySeconds: 0.4, residentMegabytes: 90 };
const against = (value: number, limit: number) =>
  `ratio to ${limit}: ${(value / limit).toFixed(2)}`;

const binary = Deno.env.get("VEI_BINARY") ?? new URL("../../dist/vei", import.meta.url).pathname;
Deno.env.set("VEI_BINARY", binary);
const megabytes = (await Deno.stat(binary)).size / 1e6;
console.log(`binary: ${megabytes.toFixed(1)} MB, ${against(megabytes, LIMITS.megabytes)}`);

const state = await Deno.makeTempDir({ prefix: "vei-bench-" });
try {
  const config = `${state}/vei.toml`;
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listen = `127.0.0.1:${(free.addr as Deno.NetAddr).port}`;
  free.close();
  await Deno.writeTextFile(config, `[api]\nlisten = "${listen}"\n[policy]\ndefault = "hateless"\n`);
  for (const round of ["first start", "second start"]) {
    const begun = performance.now();
    const args = ["--instance", freshName(), "--state", `${state}/s`, "--config", config];
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
    const status = await Deno.readTextFile(`/proc/${child.pid}/status`);
    const resident = Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1000;
    console.log(
      `mock daemon, ${round}: ready in ${seconds.toFixed(2)} s, ${
        against(seconds, LIMITS.readySeconds)
      }`,
    );
    console.log(
      `  resident ${resident.toFixed(0)} MB, ${against(resident, LIMITS.residentMegabytes)}`,
    );
    child.kill("SIGTERM");
    await child.output();
  }
} finally {
  await Deno.remove(state, { recursive: true });
}

const { output: program } = await compilePolicy(shippedPolicy("hateless"), "hateless.toml");
const TOKENS = 20_000;
async function* tokens() {
  for (let i = 0; i < TOKENS; i++) yield { kind: "text" as const, text: ` word${i % 97}` };
  yield { kind: "finish" as const, reason: "stop" as const };
}
const time = async (body: () => Promise<unknown>) => {
  const begun = performance.now();
  await body();
  return (performance.now() - begun) * 1000 / TOKENS;
};
let sink = 0;
const bare = await time(async () => {
  for await (const delta of tokens()) if (delta.kind === "text") sink += delta.text.length;
});
const never = new Promise<never>(() => {});
const gated = await time(() =>
  runSession({
    program,
    deltas: tokens(),
    stop: never,
    emit: (text) => void (sink += text.length),
  })
);
console.log(
  `the gate adds ${(gated - bare).toFixed(2)} µs to a token (bare stream ${
    bare.toFixed(2)
  } µs; ${sink} bytes)`,
);
