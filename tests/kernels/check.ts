/** The tests of one kernel: one boot of it, and what the program inside has said. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { compileDiode, shippedDiode, shippedDiodes } from "../../diodes/plan.ts";
import { kernelImageOf } from "./image.ts";
import { boot, type Run } from "./machine.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const FIXTURES = `${ROOT}tests/kernels/fixtures`;

// deno-lint-ignore no-explicit-any
type Facts = any;

/** What is in no test machine: `vei doctor` has to say so, each with what to do. */
const ABSENT = ["qemu-system-x86_64", "bwrap", "setpriv", "image", "model"];

/**
 * @param title of the kernel, for people.
 * @param suite the Debian release that it comes from.
 * @param release what `uname -r` has to be.
 */
export function kernelTests(title: string, suite: string, release: RegExp): void {
  let running: Promise<Run> | undefined;
  let told = false;
  /** @returns what was said at a step; the first to ask boots the machine. */
  const at = async (step: string): Promise<Facts> => {
    const run = await (running ??= bootWith(suite));
    const facts = run.lines.find((line) => line.step === step);
    if (facts) return facts;
    const why = told ? "see above" : whyNot(run);
    told = true;
    throw new Error(`${step} was not reached: ${why}`);
  };

  Deno.test(`${title}: vei runs; doctor finds the kernel fit, and what is absent absent`, async () => {
    const machine = await at("machine");
    assertMatch(machine.release, release);
    const { code, said } = await at("doctor");
    assertEquals([code, said.ok], [69, false]);
    const needs = new Map<string, Facts>(said.needs.map((need: Facts) => [need.id, need]));
    const kernel = [...needs.values()].filter(({ group }) => group === "kernel");
    assert(kernel.length >= 9, JSON.stringify(kernel));
    for (const { id, result, found } of kernel) assertEquals(result, "yes", `${id}: ${found}`);
    for (const id of ABSENT) {
      const need = needs.get(id);
      assertEquals([need?.result, need?.needed, need?.mend !== ""], ["no", true, true], id);
    }
  });

  Deno.test(`${title}: on a real tap exactly the judge's frames arrive, and each is counted`, async () => {
    const { code, said: prepared } = await at("prepare");
    assertEquals([code, prepared.made], [0, true]);
    const attached = await at("attach");
    assertEquals([attached.how, attached.frozen], ["attached", true]);
    assert(attached.verifiedInstructions > 1000);
    const storm = await at("storm");
    assertEquals(storm.wrong, []);
    const { said: status } = await at("status");
    assertCounted(status.counters, storm);
    assertEquals([status.linkId, status.interface], [attached.linkId, "vei0"]);
    // Read back from that kernel's maps: what this machine compiles from the same text.
    assertEquals(status.digests, await digestsHere());
    const strict = await at("strict");
    assertEquals(strict.wrong, []);
    assertCounted(strict.counters, strict);
    assert(strict.reasons.mac > 0 && storm.reasons.mac === undefined);
    const without = await at("without diode");
    assertEquals([without.clean, without.hate], [true, true]);
  });

  Deno.test(`${title}: kill -9 of the loader, adoption of the same link, detach`, async () => {
    const first = await at("attach");
    assertEquals((await at("killed")).signal, "SIGKILL");
    for (const step of ["without loader", "after adoption"]) {
      const { clean, hate } = await at(step);
      assertEquals([clean, hate], [true, false], step);
    }
    const next = await at("adopt");
    assertEquals([next.how, next.linkId, next.programId, next.mapIds], [
      "adopted",
      first.linkId,
      first.programId,
      first.mapIds,
    ]);
    // The drop that no process was there to see, and the one after it.
    const { code, events } = await at("stopped");
    assertEquals([code, events.length], [0, 2], JSON.stringify(events));
    for (const { drop } of events) assertEquals([drop.reason, drop.offset], ["predicate", 5]);
    const logs = await at("logs");
    assertEquals([logs.code, logs.said.drop.reason], [0, "predicate"], JSON.stringify(logs));
    assertEquals((await at("detach")).said.down, "vei0");
    const { up, program } = await at("detached");
    assertEquals([up, program], [false, null]);
  });

  Deno.test(`${title}: every shipped diode passes the verifier, with either set of rules`, async () => {
    const { loads } = await at("loads");
    assertEquals(loads.length, 2 * shippedDiodes().length);
    for (const { ours, name } of loads) assert(ours, name);
  });

  Deno.test(`${title}: a container's veth, with real connections`, async () => {
    const { before, attached, clean, hate, counters } = await at("veth");
    assertEquals(before, "I hate rain");
    assertEquals([attached.code, attached.said.how], [0, "attached"], attached.stderr);
    assertEquals([clean, hate], ["I love rain", ""]);
    assert(counters.pass >= 1 && counters.predicate >= 1, JSON.stringify(counters));
    await tell(title, at);
  });
}

function whyNot({ lines, seconds, console }: Run): string {
  const failed = lines.find(({ step }) => step === "failed")?.message;
  const last = lines.at(-1)?.step ?? "nothing";
  return `${last} was the last in ${seconds.toFixed(0)} s. ${failed ?? ""}\n${console}`;
}

/** The kernel's counters are what the judge counted; of the loss of reports there is none. */
function assertCounted(counters: Record<string, number>, storm: Facts): void {
  const seen = Object.entries(counters).filter(([, count]) => count > 0);
  assertEquals(Object.fromEntries(seen), storm.reasons);
  assertEquals(seen.reduce((sum, [, count]) => sum + count, 0), storm.frames);
}

/** @returns the digests of what `vei diode attach` gives the kernel, as we compile it here. */
async function digestsHere(): Promise<{ table: string; config: string }> {
  const { digests } = await compileDiode(shippedDiode("hateless"), "hateless", {
    hostMac: "00:00:00:00:00:00",
    guestMac: "00:00:00:00:00:00",
    hostIp: "172.30.0.1",
    guestIp: "172.30.0.11",
    guestPort: 8080,
    maxFrame: 1514,
    anyMac: true,
    anyOptions: true,
  });
  return { table: digests.table, config: digests.config };
}

async function tell(title: string, at: (step: string) => Promise<Facts>): Promise<void> {
  const [{ release, version }, { raiseMs }] = [await at("machine"), await at("attach")];
  const { loads } = await at("loads");
  const range = (key: string) => {
    const all = loads.map((load: Facts) => load[key]);
    return `${Math.min(...all)} to ${Math.max(...all)}`;
  };
  console.log(
    `    ${title}: ${release} (${version}); ${loads.length} loads, ` +
      `${range("verifiedInstructions")} instructions verified, ${range("ms")} ms each; ` +
      `first attach ${raiseMs} ms (all emulated)`,
  );
}

/** Boots the release's kernel with the compiled `vei` and the program that drives it. */
async function bootWith(suite: string): Promise<Run> {
  const folder = await Deno.makeTempDir({ prefix: "vei-kernel-" });
  try {
    const inside = `${folder}/inside`;
    await compileInside(inside);
    return await boot(await kernelImageOf(suite), {
      "/usr/bin/vei": await compiledVei(),
      "/usr/bin/inside": inside,
      "/etc/run.sh": `${FIXTURES}/run.sh`,
    }, "end");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Not the source: the very file that people run. */
async function compiledVei(): Promise<string> {
  const path = Deno.env.get("VEI_BINARY") ?? `${ROOT}dist/vei`;
  if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  throw new Error(`There is no ${path}: run ./install.sh build`);
}

async function compileInside(path: string): Promise<void> {
  const deno = Deno.execPath();
  const options = ["--no-lock", "--no-check", "--no-code-cache", "-A", "--output", path];
  const { success, stderr } = await new Deno.Command(deno, {
    args: ["compile", ...options, `${FIXTURES}/inside.ts`],
    cwd: ROOT,
    env: { DENORT_BIN: `${deno.slice(0, deno.lastIndexOf("/"))}/denort`, NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}
