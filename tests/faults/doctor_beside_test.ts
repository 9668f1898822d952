/** The doctor beside a real daemon, and after one that was killed: it looks, and changes nothing. */
import { assert, assertEquals } from "@std/assert";
import { isAlive } from "../../enclave/processes.ts";
import { openLibraries } from "../../ffi/native.ts";
import { deleteInterface } from "../../ffi/netdev.ts";
import { endOrphan } from "../../enclave/orphan.ts";
import { Box } from "../tools/daemon.ts";
import { assertSays } from "../tools/doctor.ts";
import { leftOvers } from "../tools/left_overs.ts";

openLibraries();

Deno.test("beside a virtual machine and its gate; then an orphan, then a gate without a wire", async () => {
  await using box = await Box.make();
  const examine = async () => {
    const { code, stdout, stderr } = await box.vei(["doctor", "--json"], { timeoutMs: 120_000 });
    return { code, diagnosis: JSON.parse(stdout), stderr };
  };
  const daemon = box.serve();
  const before = await daemon.ready();
  const qemu = await daemon.booting();
  const [tap, left] = [box.tap(), await leftOvers(box.instance)];
  const beside = await examine();
  assertEquals(beside.code, 0, JSON.stringify(beside.diagnosis, null, 1));
  assertSays(beside, {
    port: ["yes", /is the running daemon's/, /^$/],
    instance: ["yes", /held by the running daemon/, /^$/],
    link: ["yes", RegExp(`holds ${box.instance.tap} alone`), /^$/],
    daemon: ["yes", /^ready, pid/, /^$/],
    orphan: ["yes", /^none$/, /^$/],
    "pinned-gate": ["yes", RegExp(`link ${before.diode!.linkId} is pinned`), /^$/],
  });
  const after = (await box.status())!;
  assertEquals([after.phase, after.pid, after.diode], ["ready", before.pid, before.diode]);
  assertEquals([box.tap()!.index, box.tap()!.up], [tap!.index, tap!.up]);
  assert(isAlive(qemu), daemon.log);
  assertEquals(await leftOvers(box.instance), left);

  daemon.kill("SIGKILL");
  await daemon.end();
  const orphaned = await examine();
  assertSays(orphaned, {
    daemon: ["no", /none runs/, /vei serve/],
    orphan: ["no", RegExp(`process ${qemu.pid} is left`), /vei serve/],
    instance: ["yes", /^free$/, /^$/],
  });
  assertEquals(orphaned.code, 0);
  assert(isAlive(qemu), "the doctor ended what it only looks at");

  await endOrphan(box.instance);
  box.inside(() => deleteInterface(box.instance.tap));
  assertSays(await examine(), {
    "pinned-gate": ["no", /has lost its interface/, /vei diode detach/],
  });
});
