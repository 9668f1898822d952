import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { closureOf, qemuClosure } from "../../enclave/closure.ts";
import { chooseAccel, KVM, recall, remember, runTrial } from "../../enclave/kvm_trial.ts";
import { openLibraries } from "../../ffi/native.ts";
import { VeiError } from "../../src/base/errors.ts";

openLibraries();

async function runFolder() {
  const path = await Deno.makeTempDir({ prefix: "vei-trial-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

const kvmIsThere = await Deno.stat(KVM).then(() => true, () => false);

Deno.test("the trial's machine ends with its code where the accelerator works", async () => {
  await using run = await runFolder();
  // Emulation stands in for a KVM that works: the machine, the jail and the judgement are the same.
  const options = { run: run.path, files: await qemuClosure(), devices: [], deadlineMs: 30_000 };
  const result = await runTrial({ ...options, accel: "tcg" });
  assert(result.works, result.reason);
  assertEquals([...Deno.readDirSync(run.path)], []);
});

Deno.test("an accelerator that QEMU cannot use does not work", async () => {
  await using run = await runFolder();
  // /dev/kvm is not bound into this jail.
  const options = { run: run.path, files: await qemuClosure(), devices: [], deadlineMs: 30_000 };
  const result = await runTrial({ ...options, accel: "kvm" });
  assertEquals(result.works, false);
  assertMatch(result.reason, /^QEMU ended with 1: .*KVM/);
});

Deno.test("a hang, an abort and a wrong code count alike, and leave nothing", async () => {
  await using run = await runFolder();
  const files = await closureOf(["/usr/bin/perl"]);
  const trial = (code: string) =>
    runTrial({
      run: run.path,
      files,
      accel: "kvm",
      devices: [],
      deadlineMs: 1000,
      command: ["/usr/bin/perl", "-e", code],
    });
  const began = performance.now();
  assertEquals(await trial("sleep 600"), {
    works: false,
    reason: "it hung: nothing within 1000 ms",
  });
  assert(performance.now() - began < 3000);
  const abort = 'print STDERR "failed to set MSR 0x48f\\n"; kill 6, $$; sleep 9';
  assertEquals((await trial(abort)).reason, "QEMU ended with 134: failed to set MSR 0x48f");
  assertEquals(await trial("exit 0"), { works: false, reason: "QEMU ended with 0" });
  assertEquals([...Deno.readDirSync(run.path)], []);
});

Deno.test("without the device nothing is tried; wanting it all the same is an error", async () => {
  await using run = await runFolder();
  const files = await qemuClosure();
  if (kvmIsThere) {
    // A box with KVM: whatever the trial says is remembered and told.
    const choice = await chooseAccel("auto", run.path, files);
    assertEquals((await chooseAccel("auto", run.path, files)).accel, choice.accel);
    assert(choice.reason !== "");
    return;
  }
  assertEquals(await chooseAccel("auto", run.path, files), {
    accel: "tcg",
    reason: "no KVM: /dev/kvm is not there",
  });
  assertEquals((await chooseAccel("tcg", run.path, files)).accel, "tcg");
  const error = await assertRejects(() => chooseAccel("kvm", run.path, files), VeiError);
  assertEquals([error.code, error.exit], ["kvm-not-working", 69]);
});

Deno.test("a result counts for one boot of the box", async () => {
  await using run = await runFolder();
  assertEquals(await recall(run.path, "boot-1"), null);
  await remember(run.path, "boot-1", { works: false, reason: "it hung" });
  assertEquals(await recall(run.path, "boot-1"), { works: false, reason: "it hung" });
  assertEquals(await recall(run.path, "boot-2"), null);
  await Deno.writeTextFile(`${run.path}/kvm-trial.json`, "{");
  assertEquals(await recall(run.path, "boot-1"), null);
});
