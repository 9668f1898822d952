/** The doctor's QEMU: it leaves nothing, whether it works or not. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { qemuClosure } from "../../enclave/closure.ts";
import { inTrialFolder, tryJail } from "../../enclave/jail_trial.ts";
import { descendantsOf } from "../../enclave/processes.ts";
import { openLibraries } from "../../ffi/native.ts";
import { VeiError } from "../../src/base/errors.ts";

openLibraries();

Deno.test("a jail that works: read back, asked, ended, and nothing is left", async () => {
  const files = await qemuClosure();
  const { ms } = await inTrialFolder(async (folder) => {
    const trial = await tryJail(folder, files, 60_000);
    assertEquals([...Deno.readDirSync(folder)], []);
    return trial;
  });
  assert(ms > 0);
  assertEquals(descendantsOf(Deno.pid), []);
});

Deno.test("a QEMU that is too slow is killed, one that cannot start is told by its own words", async () => {
  const files = await qemuClosure();
  const trial = (these: typeof files, ms: number) =>
    inTrialFolder(async (folder) => {
      const error = await assertRejects(() => tryJail(folder, these, ms), VeiError);
      assertEquals([...Deno.readDirSync(folder)], []);
      return [error.code, error.message.split(":")[0]];
    });
  assertEquals(await trial(files, 1), ["jail-trial", "nothing within 1 ms"]);
  const bare = files.filter(({ target }) => !target.includes("seabios"));
  assertEquals(await trial(bare, 60_000), ["jail-trial", "QEMU ended with 1"]);
  assertEquals(descendantsOf(Deno.pid), []);
});
