/** Disks that fill up, and one that may not be written to. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../../src/host/run.ts";
import { fault } from "./fault.ts";

/** A small disk of the test's own. */
async function disk(folder: string, size: string): Promise<
  { mode(options: string): Promise<void> } & AsyncDisposable
> {
  const mount = async (...args: string[]) => {
    const { code, stderr } = await run("mount", args);
    assertEquals(code, 0, `this test needs root, to mount a small tmpfs: ${stderr}`);
  };
  await Deno.mkdir(folder, { recursive: true });
  await mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder);
  return {
    mode: (options) => mount("-o", `remount,${options}`, folder),
    [Symbol.asyncDispose]: async () => void await run("umount", ["--lazy", folder]),
  };
}

fault("the disk fills up at a receipt", async (world) => {
  const place = world.plain();
  const small = world.use(await disk(place.instance.state, "512k"));
  const daemon = await place.serve("mock");
  let given = 0;
  // Receipts fill what is left; the last answers are refused, not given without one.
  for (let refused = 0; refused < 2;) {
    const answer = await daemon.ask(false);
    const text = await answer.text();
    if (answer.ok) {
      assertEquals(refused, 0, "an answer after the disk was full");
      given++;
    } else {
      refused++;
      assertEquals(answer.status, 503);
      assertStringIncludes(text, "no_receipt");
      assertEquals(text.includes("sing on"), false);
    }
  }
  assert(given > 10, `${given} answers before the disk was full`);
  await daemon.end("SIGTERM");
  await small.mode("size=8m");
  const again = await place.serve("mock");
  const list = await place.list();
  assertEquals(list.filter((one) => one.verdict.outcome === "completed").length, given);
  assertStringIncludes(await (await again.ask(false)).text(), "sing on");
});

fault("the disk fills up at the index", async (world) => {
  const place = world.plain();
  const { state } = place.instance;
  const small = world.use(await disk(`${place.folder}/kv`, "200k"));
  await Deno.mkdir(state);
  await Deno.symlink(`${place.folder}/kv/kv.db`, `${state}/kv.db`);
  const daemon = await place.serve("mock");
  const ids: string[] = [];
  for (let n = 0; n < 120; n++) {
    const answer = await daemon.ask(false);
    assert(answer.ok);
    await answer.text();
    ids.push(answer.headers.get("vei-receipt")!);
  }
  const full = (await run("df", ["--output=avail", `${place.folder}/kv`])).stdout;
  assert(Number(new TextDecoder().decode(full).split("\n")[1]) < 40, "the disk is not full");
  // The receipts are durable in the log, and found although the index did not take them.
  const listed = await (await fetch(`http://${daemon.listen}/api/receipts?limit=100`)).json();
  assertEquals(listed.receipts[0].id, ids.at(-1));
  for (const id of [ids[0], ids.at(-1)]) {
    const answer = await fetch(`http://${daemon.listen}/api/receipts/${id}`);
    assertEquals(answer.status, 200, await answer.text());
  }
  await daemon.end("SIGTERM");
  // With the disk still full the next start says so, and keeps what there is.
  const refused = place.start("mock");
  await refused.end();
  await small.mode("size=8m");
  const again = await place.serve("mock");
  assertEquals((await place.list()).map(({ id }) => id), ids);
  assertStringIncludes(await (await again.ask(false)).text(), "sing on");
});

fault("the state folder is read-only", async (world) => {
  const place = world.plain();
  const small = world.use(await disk(place.instance.state, "8m"));
  const daemon = await place.serve("mock");
  await (await daemon.ask(false)).text();
  await daemon.end("SIGTERM");
  await small.mode("ro");
  const refused = place.start("mock");
  assertEquals((await refused.end()).code, 73, refused.log);
  await small.mode("rw");
  await place.serve("mock");
});
