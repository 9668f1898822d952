/** What another process with root's rights puts beside our diode, or writes to it. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readDiode } from "../../diodes/manager.ts";
import { BpfMap } from "../../ffi/bpf_map.ts";
import { BpfProgram, XDP } from "../../ffi/bpf_program.ts";
import { setUp } from "../../ffi/netdev.ts";
import { SystemError } from "../../ffi/native.ts";
import { linkState } from "../../ffi/rtnetlink.ts";
import { Tap } from "../../ffi/tap.ts";
import { attachIngress } from "../../ffi/tcx_link.ts";
import { XdpLink } from "../../ffi/xdp_link.ts";
import { assemble } from "../../src/bpf/assembler.ts";
import { atomicAdd, exit, mapValue, mov } from "../../src/bpf/isa.ts";
import { run } from "../../src/host/run.ts";
import { constantProgram } from "../kernel/bpf_support.ts";
import { serialise, spec } from "../kernel/frames.ts";
import { type Box, until } from "../tools/daemon.ts";
import { processesOf } from "../tools/left_overs.ts";
import { fault, type World } from "./fault.ts";

/** Daemon and QEMU are killed: what stays is the tap, up, behind the pinned diode. */
async function gateAlone(box: Box): Promise<void> {
  const daemon = box.serve();
  const qemu = await daemon.booting();
  daemon.kill("SIGKILL");
  Deno.kill(qemu.pid, "SIGKILL");
  await daemon.end();
  await until("the end of QEMU", () => processesOf(box.instance).length === 0 || null);
  assert(box.tap()!.up);
}

/** The operator starts it again, and it takes the gate over as it is. */
async function takenOver(box: Box): Promise<void> {
  const daemon = box.serve();
  const status = await daemon.until("the gate", ({ diode }) => diode !== null);
  assertEquals(status.diode!.adopted, true);
}

const frame = (text: string) => serialise(spec({ payload: new TextEncoder().encode(text) }));

/** What the kernel answered. */
function refusal(world: World, errno: string, action: () => unknown): void {
  const error = assertThrows(action, SystemError);
  assertEquals(error.errno, errno, error.message);
  world.heard(error.message);
}

fault("an XDP program is put beside ours", async (world) => {
  const box = await world.box();
  const daemon = box.serve();
  await daemon.booting();
  const before = box.tap()!;
  using program = constantProgram(XDP.pass);
  refusal(world, "EBUSY", () => box.inside(() => XdpLink.attach(program, before.index)));
  // The old way, by netlink, cannot take a link's program off either.
  const enter = [`--net=${box.instance.netns}`, "ip", "link", "set", "dev", before.name];
  for (const mode of ["xdp", "xdpgeneric", "xdpdrv"]) {
    await run("nsenter", [...enter, mode, "off"]);
  }
  assertEquals(box.tap()!.xdpProgramId, before.xdpProgramId);
  assertEquals((await box.status())!.phase, "booting");
});

fault("a TC program is put beside ours", async (world) => {
  const box = await world.box();
  await gateAlone(box);
  using seen = BpfMap.create({ kind: "array", name: "t_seen", valueSize: 8, maxEntries: 1 });
  // Counts what it is given, and lets all of it through (TCX_PASS).
  using program = BpfProgram.load({
    name: "t_beside",
    hook: "tcx",
    instructions: assemble([
      mapValue("r1", seen.fd),
      mov("r2", 1),
      atomicAdd("r1", 0, "r2"),
      mov("r0", 0),
      exit(),
    ]),
  });
  box.inside(() => {
    const { index } = linkState(box.instance.tap)!;
    using _beside = attachIngress(program, index);
    using wire = Tap.open(box.instance.tap, { persist: true });
    const before = readDiode(box.instance.pins)!.counters;
    for (let i = 0; i < 100; i++) wire.write(frame("I hate it"));
    for (let i = 0; i < 7; i++) wire.write(frame("I like it"));
    const after = readDiode(box.instance.pins)!.counters;
    assertEquals([after.predicate - before.predicate, after.pass - before.pass], [100, 7]);
    assertEquals(new DataView(seen.read().buffer).getBigUint64(0, true), 7n);
  });
  await takenOver(box);
});

fault("the table is written to by another root process", async (world) => {
  const box = await world.box();
  const daemon = box.serve();
  await daemon.booting();
  const { mapIds, digests } = readDiode(box.instance.pins)!;
  for (const role of ["table", "config"] as const) {
    using map = BpfMap.fromId(mapIds[role]);
    const bytes = map.read();
    bytes.fill(0);
    refusal(world, "EPERM", () => map.write(bytes));
  }
  assertEquals(readDiode(box.instance.pins)!.digests, digests);
  assertEquals((await box.status())!.phase, "booting");
});

fault("the tap is set up by somebody else", async (world) => {
  const box = await world.box();
  const daemon = box.serve();
  await daemon.booting();
  assertEquals((await daemon.stop()).code, 0);
  box.inside(() => setUp(box.instance.tap, true));
  assert(box.tap()!.up && box.tap()!.xdpProgramId !== null);
  await takenOver(box);
});

fault("a guest floods, and nobody reads the events", async (world) => {
  const box = await world.box();
  await gateAlone(box);
  const count = 50_000;
  const before = readDiode(box.instance.pins)!.counters;
  box.inside(() => {
    using wire = Tap.open(box.instance.tap, { persist: true });
    const bad = frame("I hate it");
    const begun = performance.now();
    for (let i = 0; i < count; i++) wire.write(bad);
    console.log(`${Math.round(count / (performance.now() - begun))} frames a millisecond`);
  });
  const after = readDiode(box.instance.pins)!.counters;
  assertEquals(after.predicate - before.predicate, count);
  assert(after.events_lost > 0, "the ring was not full");
  // The next daemon reads what the ring still holds, says so in few words, and goes on.
  const daemon = box.serve();
  const status = await daemon.until("the gate", ({ diode }) => diode !== null);
  assertEquals(status.diode!.counters.events_lost, after.events_lost);
  assertMatch(daemon.log, /dropped|drop/);
  assert(daemon.log.length < 200_000, `${daemon.log.length} bytes of log`);
});
