/** Reloads of the diode, with a real virtual machine behind it: never an instant without a program. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { openLibraries } from "../../ffi/native.ts";
import { Box } from "../tools/daemon.ts";
import { assertAllValid, receiptsOf } from "../tools/receipts.ts";
import { ProgramWatch } from "../tools/program_watch.ts";

openLibraries();

const diodeText = (name: string, predicate: string) =>
  `name = "${name}"\ndescription = "a test's"\nscope = "packet"\npredicate = '${predicate}'\n`;

const DIODES: Record<string, string> = {
  zebraless: diodeText("zebraless", 'not contains "zebra" within 512'),
  yakless: diodeText("yakless", 'not contains "yak" within 1024'),
  // The model's words are of one syllable, and its answers end at their length.
  mute: diodeText("mute", `not matches /"content":" ?[a-z]{1,2}"|"finish_reason":"length"/`),
  silent: diodeText("silent", 'not contains "data:" within 1024'),
  broken: diodeText("broken", "not contians"),
};

async function write(box: Box, diode: string): Promise<void> {
  const { state } = box.instance;
  for (const [name, text] of Object.entries(DIODES)) {
    await Deno.writeTextFile(`${state}/${name}.toml`, text);
  }
  await Deno.writeTextFile(`${state}/vei.toml`, configOf(box, diode));
}

const configOf = (box: Box, diode: string) =>
  '[policy]\ndefault = "hateless"\n[enclave]\ncontext = 1024\n' +
  `[diode]\nname = "${box.instance.state}/${diode}.toml"\n`;

const ask = (box: Box, tokens: number) => box.tell("x", { stream: true, max_tokens: tokens });

/** @returns what the daemon says at the end of a streamed answer. */
function verdictIn(text: string) {
  const last = text.match(/^data: \{.*"vei".*$/m);
  assert(last, text.slice(-500));
  return JSON.parse(last![0].slice(6)).vei.verdict;
}

Deno.test("the diode is replaced while booting, under an answer, and a dozen times under load", async () => {
  await using box = await Box.make();
  await write(box, "zebraless");
  const daemon = box.serve({ config: configOf(box, "zebraless") });
  await daemon.booting();
  const begun = await daemon.until("the diode", ({ diode }) => diode !== null);
  using programs = new ProgramWatch(box);

  // While the virtual machine boots.
  await write(box, "yakless");
  const early = await box.vei(["reload"]);
  assertEquals(early.code, 0, early.stdout + early.stderr);
  assertMatch(early.stdout, /^reloaded: diode\.name; generation 2\n/);
  const booting = (await box.status())!;
  assertEquals([booting.phase, booting.diode!.name], ["booting", "yakless"]);
  assert(booting.diode!.programId !== begun.diode!.programId);
  assertEquals(booting.diode!.linkId, begun.diode!.linkId);
  await daemon.ready();
  assertMatch(await (await ask(box, 8)).text(), /\[DONE\]/);

  // Under an answer, again and again; its frames pass all the while.
  const answer = await ask(box, 900);
  const reading = answer.text();
  for (let i = 0; i < 12; i++) {
    await write(box, i % 2 === 0 ? "zebraless" : "yakless");
    const { reload } = (await box.status())!;
    daemon.kill("SIGHUP");
    await daemon.until("the reload", (status) => status.reload.finished > reload.finished);
  }
  const { reload, diode } = (await box.status())!;
  assertEquals([reload.generation, reload.outcomes.applied], [14, 13]);
  assertEquals(diode!.name, "yakless");
  assertEquals(programs.present, diode!.programId);
  assertEquals(verdictIn(await reading).outcome, "completed");

  // One that cannot be understood changes nothing, in the kernel neither.
  await write(box, "broken");
  const refused = await box.vei(["reload"]);
  assertEquals(refused.code, 78, refused.stdout);
  assertMatch(refused.stderr, /broken\.toml:4:\d+.*\[diode-invalid\]/);
  const after = (await box.status())!;
  assertEquals(after.diode!.programId, diode!.programId);
  assertEquals(after.reload.generation, 14);

  // Neither does one that would not let the model server speak at all.
  await write(box, "silent");
  const unfit = await box.vei(["reload"]);
  assertEquals(unfit.code, 78, unfit.stdout);
  assertMatch(
    unfit.stderr,
    /`silent` refuses byte \d+, ":", of the model server's streamed answer/,
  );
  assertEquals((await box.status())!.diode!.programId, diode!.programId);

  // A stricter one ends the answer under way, and every later one.
  const cutting = await ask(box, 900);
  const reader = cutting.body!.pipeThrough(new TextDecoderStream()).getReader();
  let cut = "";
  while (!/"content":"[^"]/.test(cut)) cut += (await reader.read()).value;
  await write(box, "mute");
  daemon.kill("SIGHUP");
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    cut += piece.value;
  }
  assertEquals(verdictIn(cut).by, "kernel");
  assertEquals(verdictIn(await (await ask(box, 8)).text()).by, "kernel");
  const last = (await daemon.ready()).diode!;
  assertEquals(last.name, "mute");
  assert(last.counters.predicate >= 2);

  // Every receipt names what judged it.
  const all = await receiptsOf(box);
  const exchanges = all.filter(({ kind }) => kind === "exchange");
  const entries = all.filter(({ kind }) => kind === "reload");
  assertEquals(entries.map((one) => one.reload!.generation), entries.map((_, i) => i + 2));
  entries.forEach((one, i) => {
    assertEquals(one.verdict, { outcome: "applied" });
    assert(one.reload!.diode!.before !== one.reload!.diode!.after);
    if (i > 0) assertEquals(one.reload!.diode!.before, entries[i - 1].reload!.diode!.after);
    // The first one was made before there was a virtual machine to speak of.
    if (i > 0) assertEquals(one.kernel!.replaced_by!.length, 1);
  });
  const names = exchanges.map(({ diode, kernel }) => [
    diode!.name,
    ...(kernel!.replaced_by ?? []).map((next) => next.diode.name),
  ]);
  assertEquals(names[0], ["yakless"]);
  assertEquals(names[2], ["yakless", "mute"]);
  assertEquals(names[3], ["mute"]);
  assert(names[1].length > 1 && names[1][0] === "yakless", names[1].join());
  const { kernel } = exchanges[1];
  const ids = [kernel!.program_id, ...kernel!.replaced_by!.map((one) => one.program_id)];
  assertEquals(new Set(ids).size, ids.length);
  const frames = kernel!.replaced_by!.map(({ counters_after }) => counters_after!.pass);
  assert(frames.some((count) => count > 0), "no frame met a later diode");

  assertEquals(programs.gaps, 0);
  assert(programs.looks > 200 && programs.seen.size > 10, `${programs.looks} looks`);
  await assertAllValid(box);
  await daemon.stop();
});
