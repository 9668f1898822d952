import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readJail } from "../../enclave/jail_check.ts";
import { closureOf } from "../../enclave/closure.ts";
import { JAIL_DEVICES, JAIL_USER, limitsFor } from "../../enclave/jail.ts";
import { launch, treeOf } from "../../enclave/launch.ts";
import { endOrphan } from "../../enclave/orphan.ts";
import { pidPath, readPidFile, writePidFile } from "../../enclave/pid_file.ts";
import { descendantsOf, isAlive, nameOf, type ProcessName } from "../../enclave/processes.ts";
import { assertLocalAddress, GUEST_PORT } from "../../enclave/link.ts";
import { openLibraries } from "../../ffi/native.ts";
import { kill } from "../../ffi/process.ts";
import { Tap } from "../../ffi/tap.ts";
import { VeiError } from "../../src/base/errors.ts";
import { start } from "../../src/host/run.ts";
import { tinyGguf } from "../tools/tiny_gguf.ts";
import { EnclaveWorld } from "./enclave_world.ts";

openLibraries();

/** All of a boot's processes: QEMU and the two of bubblewrap. */
function processesOf(world: EnclaveWorld): ProcessName[] {
  const { parents, qemu } = readPidFile(world.instance.run)!;
  if (qemu === null) throw new Error("QEMU does not run yet");
  return [...parents, qemu];
}

/** Waits until QEMU runs. */
async function untilNamed(world: EnclaveWorld): Promise<ProcessName> {
  for (let i = 0; i < 500; i++) {
    const qemu = readPidFile(world.instance.run)?.qemu;
    if (qemu) return qemu;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("QEMU did not start within 10 s");
}

async function tinyModel(world: EnclaveWorld, says?: string[]): Promise<{ path: string }> {
  const path = `${world.instance.run}/tiny.gguf`;
  await Deno.writeFile(path, tinyGguf({ says }), { mode: 0o600 });
  return { path };
}

/** The traces of a virtual machine in the run folder. */
const traces = (world: EnclaveWorld) =>
  [...Deno.readDirSync(world.instance.run)].map(({ name }) => name)
    .filter((name) => name.startsWith("qemu.pid") || name.endsWith(".sock"));

/** Asks the guest. @returns the answer's text. */
async function ask(world: EnclaveWorld, user: string): Promise<string> {
  const { guest, host } = world.config.link;
  const body = JSON.stringify({
    messages: [{ role: "system", content: "Be brief." }, { role: "user", content: user }],
    ...{ temperature: 0, seed: 0, cache_prompt: false, max_tokens: 16 },
  });
  const connection = await Deno.connect({ hostname: guest, port: GUEST_PORT });
  assertLocalAddress(connection, host);
  await connection.write(new TextEncoder().encode(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: ${guest}\r\nConnection: close\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  ));
  const text = await new Response(connection.readable).text();
  return JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4)).choices[0].message.content;
}

Deno.test("the real model answers from a QEMU that is jailed as /proc tells", async () => {
  await using world = await EnclaveWorld.make();
  const began = performance.now();
  const enclave = await world.boot();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const processes = processesOf(world);
  assertMatch(world.told[0], /^1: booting the virtual machine, attempt 1 of 3 \(/);

  // Said once more here, in the test's own words, than in the start's own check.
  const facts = readJail(enclave.pid!);
  const { status } = facts;
  assertEquals(status.Uid, Array(4).fill(JAIL_USER).join("\t"));
  for (const set of ["CapEff", "CapPrm", "CapBnd"]) assertEquals(status[set], "0".repeat(16));
  assertEquals([status.NoNewPrivs, status.Seccomp], ["1", "2"]);
  assertEquals(facts.sharedNamespaces, []);
  const writable = facts.mounts.filter(({ readOnly }) => !readOnly).map(({ target }) => target);
  assertEquals(writable.sort(), ["/dev/null", "/dev/urandom"]);
  assertEquals(facts.mounts.filter(({ target }) => /^\/(proc|sys|tmp|run|home)/.test(target)), []);
  assertEquals(facts.limits["Max file size"], "65536");
  assertEquals(facts.limits["Max core file size"], "0");
  const taps = facts.descriptors.filter((path) => path === "/dev/net/tun");
  assertEquals(taps.length, 1);

  // The tap is taken as long as QEMU has it, also when the daemon lets go.
  world.link[Symbol.dispose]();
  const { name } = world.link.tap;
  const busy = await assertRejects(
    () => Promise.try(() => Tap.open(name, { persist: true })),
    VeiError,
  );
  assertEquals(busy.code, "tap-busy");

  const asked = performance.now();
  assertEquals(
    await ask(world, "What is the capital of France?"),
    "The capital of France is Paris.",
  );
  const rss = /VmRSS:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${enclave.pid}/status`))![1];
  console.log(
    `${enclave.accel}: ready after ${seconds} s, ${facts.mounts.length} mounts, ` +
      `answer after ${((performance.now() - asked) / 1000).toFixed(1)} s, ` +
      `QEMU's RSS ${Math.round(Number(rss) / 1024)} MiB`,
  );

  await enclave.stop();
  assertEquals(await enclave.ended, "stopped");
  assertEquals(processes.filter(isAlive), []);
  assertEquals(traces(world), []);
  Tap.open(name, { persist: true })[Symbol.dispose]();
});

Deno.test("a QEMU that is killed in service is told, and another boots on the same wire", async () => {
  await using world = await EnclaveWorld.make();
  const model = await tinyModel(world, ["I", " like", " rain"]);
  const first = await world.boot({ model });
  const processes = processesOf(world);
  kill(first.pid!, "SIGKILL");
  assertEquals(await first.ended, "ended by signal 9");
  assertEquals(processes.filter(isAlive), []);
  const second = await world.boot({ model });
  assert(second.pid !== first.pid);
  assertEquals(await ask(world, "hello"), "I like rain");

  // One that does not listen to its monitor is killed.
  const left = processesOf(world);
  kill(second.pid!, "SIGSTOP");
  const began = performance.now();
  await second.stop();
  assert(performance.now() - began < 6000);
  assertEquals(left.filter(isAlive), []);
  assertEquals(traces(world), []);
});

Deno.test("a guest that hangs is killed at the deadline, tried again, and then told", async () => {
  await using world = await EnclaveWorld.make();
  const timing = { readyMs: 1500, attempts: 3, backoffMs: 10 };
  const boot = world.boot({ halted: true, timing });
  boot.catch(() => {}); // It is looked at below; an early failure is not to end the whole run.
  const first = await untilNamed(world);
  const error = await assertRejects(() => boot, VeiError);
  assertEquals([error.code, error.exit], ["enclave-not-ready", 69]);
  assertMatch(error.message, /in 3 attempts: nothing answered within 1.5 s/);
  assertEquals(world.told.map((text) => text.slice(0, 2)), ["1:", "1:", "2:", "2:", "3:"]);
  assertMatch(world.told[4], /attempt 3 of 3/);
  assert(!isAlive(first));
  assertEquals(traces(world), []);
});

Deno.test("a QEMU that is stopped in its tracks is killed at the deadline", async () => {
  await using world = await EnclaveWorld.make();
  const timing = { readyMs: 2500, attempts: 1 };
  const boot = world.boot({ model: await tinyModel(world), timing });
  boot.catch(() => {});
  const qemu = await untilNamed(world);
  kill(qemu.pid, "SIGSTOP", qemu.startTime);
  const error = await assertRejects(() => boot, VeiError);
  assertEquals(error.code, "enclave-not-ready");
  assert(!isAlive(qemu));
});

Deno.test("a QEMU that ends at once is told with its last words", async () => {
  await using world = await EnclaveWorld.make();
  const kernel = `${world.instance.run}/kernel`;
  await Deno.writeTextFile(kernel, "no kernel");
  const error = await assertRejects(
    () =>
      world.boot({
        image: { ...world.image, kernel },
        timing: { readyMs: 30_000, attempts: 2, backoffMs: 10 },
      }),
    VeiError,
  );
  assertEquals([error.code, error.exit], ["enclave-not-ready", 69]);
  assertMatch(
    error.message,
    /in 2 attempts: QEMU ended before it was ready .*last words: .*kernel/,
  );
  assertEquals(traces(world), []);
});

Deno.test("a cancelled boot leaves nothing", async () => {
  await using world = await EnclaveWorld.make();
  const stop = new AbortController();
  const boot = world.boot({ halted: true, signal: stop.signal });
  boot.catch(() => {});
  const qemu = await untilNamed(world);
  const processes = processesOf(world);
  const began = performance.now();
  stop.abort();
  assert(!isAlive(qemu) || performance.now() - began < 50);
  const error = await assertRejects(() => boot, VeiError);
  assertEquals(error.code, "boot-cancelled");
  assert(performance.now() - began < 3000);
  assertEquals(processes.filter(isAlive), []);
  assertEquals(traces(world), []);
});

Deno.test("a daemon's QEMU survives kill -9 in a session of its own, and is ended by name", async () => {
  await using world = await EnclaveWorld.make();
  world.link[Symbol.dispose]();
  const fixture = new URL("./fixtures/boot_halted.ts", import.meta.url).pathname;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const daemon = start(
    Deno.execPath(),
    [...["run", "-A", "--quiet", "--no-check", "--config", config], fixture, world.instance.name],
    { stderr: "inherit" },
  );
  const qemu = await untilNamed(world);
  const processes = processesOf(world);
  assert(descendantsOf(daemon.pid).some(({ pid }) => pid === qemu.pid));
  kill(daemon.pid, "SIGKILL");
  await daemon.status;
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(processes.filter(isAlive).length, 3);
  assert(readJail(qemu.pid).session !== readJail(Deno.pid).session);

  assertEquals(await endOrphan(world.instance), qemu.pid);
  assertEquals(processes.filter(isAlive), []);
  assertEquals(await endOrphan(world.instance), null);
  Tap.open(world.instance.tap, { persist: true })[Symbol.dispose]();
});

Deno.test("a jail in which QEMU had not started yet is ended with all that is in it", async () => {
  await using world = await EnclaveWorld.make();
  world.link[Symbol.dispose](); // A daemon that starts does not hold the tap yet.
  const { run } = world.instance;
  const files = await closureOf(["/bin/sleep"]);
  const child = launch({
    log: `${run}/log`,
    prepare: () => ({
      ...{ user: JAIL_USER, data: [], devices: JAIL_DEVICES, limits: limitsFor(64, 0) },
      files,
      command: ["/bin/sleep", "60"],
    }),
  });
  writePidFile(run, { qemu: null, parents: [nameOf(child.pid)!] });
  let all = treeOf(child);
  for (; all.length < 3; all = treeOf(child)) await new Promise((r) => setTimeout(r, 10));
  assertEquals(await endOrphan(world.instance), child.pid);
  await child.status;
  assertEquals(all.filter(isAlive), []);
});

Deno.test("a pid that means another process by now is left alone", async () => {
  await using world = await EnclaveWorld.make();
  const stranger = start("sleep", ["60"]);
  try {
    const { pid } = stranger;
    writePidFile(world.instance.run, { qemu: { pid, startTime: "1" }, parents: [] });
    assertEquals(await endOrphan(world.instance), null);
    assert(nameOf(pid) !== null);
    await Deno.writeTextFile(pidPath(world.instance.run), `{"qemu":{"pid":${pid}},"parents":[]}`);
    const error = await assertRejects(() => endOrphan(world.instance), VeiError);
    assertEquals(error.code, "pid-file-damaged");
    assert(nameOf(pid) !== null);
    await Deno.remove(pidPath(world.instance.run));
  } finally {
    stranger.kill("SIGKILL");
    await stranger.status;
  }
});
