import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { DiodeObjects } from "../../diodes/objects.ts";
import { shippedDiode } from "../../diodes/plan.ts";
import { provenDiode } from "../../diodes/proof.ts";
import { detachDiode, openEvents, raiseDiode, readDiode } from "../../diodes/manager.ts";
import { BpfMap } from "../../ffi/bpf_map.ts";
import { BpfProgram, XDP } from "../../ffi/bpf_program.ts";
import { openLibraries } from "../../ffi/native.ts";
import { deleteInterface, interfaceIndex, setUp } from "../../ffi/netdev.ts";
import { RingReader } from "../../ffi/ring.ts";
import { Tap } from "../../ffi/tap.ts";
import { XdpLink } from "../../ffi/xdp_link.ts";
import { VeiError } from "../../src/base/errors.ts";
import { decodeEvent } from "../../src/bpf/event.ts";
import { type DiodeMaps, diodeProgram } from "../../src/bpf/program.ts";
import { exit, mapReference, mapValue, mov } from "../../src/bpf/isa.ts";
import { CONFIG } from "../../src/bpf/layout.ts";
import { Bench, constantProgram, loadLines, RULES } from "./bpf_support.ts";
import { tcpFrame } from "./net_support.ts";

openLibraries();

const hateless = await provenDiode(shippedDiode("hateless"), "hateless", RULES);
const opposite = await provenDiode(
  shippedDiode("hateless").replace("'not contains", "'contains"),
  "opposite",
  RULES,
);
const FIXTURE = new URL("./fixtures/raise_diode.ts", import.meta.url).pathname;

/** @returns a frame as the guest sends it. */
function guestFrame(payload: string): Uint8Array<ArrayBuffer> {
  return tcpFrame({
    toMac: RULES.hostMac,
    fromMac: RULES.guestMac,
    from: RULES.guestIp,
    to: RULES.hostIp,
    fromPort: RULES.guestPort,
    toPort: 40_000,
    flags: 0x18,
    payload: new TextEncoder().encode(payload),
  });
}

const raise = (bench: Bench, plan = hateless, ifindex = bench.ifindex) =>
  bench.inside(() => raiseDiode({ plan, ifindex, pins: bench.pins }));

/** @returns the code, the exit code and the message of the VeiError that `action` throws. */
function failure(action: () => unknown): [string, number, string] {
  const { code, exit, message } = assertThrows(action, VeiError);
  return [code, exit, message];
}

/** No trace of ours: no pin, no folder, nothing on the tap. */
function assertNothingLeft(bench: Bench): void {
  assertThrows(() => Deno.statSync(bench.pins), Deno.errors.NotFound);
  assertEquals(bench.programOnTap, null);
}

Deno.test("raised: pinned, on the interface, read back; frames are judged and counted", () => {
  using bench = new Bench();
  using guard = raise(bench);
  assertEquals([guard.how, guard.adopted], ["attached", false]);
  assertEquals(bench.programOnTap, guard.ids.program);
  bench.inside(() => {
    setUp(bench.name, true);
    guard.check();
  });
  bench.tap.write(guestFrame("I love Mondays"));
  bench.tap.write(guestFrame("I hate Mondays"));
  bench.tap.write(new Uint8Array(60));
  const { pass, predicate, length, events_lost } = guard.counters();
  assertEquals({ pass, predicate, length, events_lost }, {
    pass: 1,
    predicate: 1,
    length: 1,
    events_lost: 0,
  });
  const reasons: string[] = [];
  guard.ring.drain((record) => reasons.push(decodeEvent(record).reason));
  assertEquals(reasons, ["predicate", "length"]);
});

Deno.test("without a daemon: read, drain, detach", () => {
  using bench = new Bench();
  assertEquals(readDiode(bench.pins), null);
  assertEquals(openEvents(bench.pins), null);
  assertEquals(detachDiode(bench.pins), false);
  let ids;
  {
    using guard = raise(bench);
    ids = guard.ids;
  }
  bench.inside(() => setUp(bench.name, true));
  bench.tap.write(guestFrame("hate"));
  const status = readDiode(bench.pins)!;
  assertMatch(status.tag, /^[0-9a-f]{16}$/);
  assertEquals(status.counters.predicate, 1);
  assertEquals({ ...status, counters: null, tag: null, verifiedInstructions: 0 }, {
    linkId: ids.link,
    programId: ids.program,
    tag: null,
    verifiedInstructions: 0,
    ifindex: bench.ifindex,
    mapIds: ids.maps,
    frozen: true,
    counters: null,
    digests: { table: hateless.digests.table, config: hateless.digests.config },
  });
  JSON.stringify(status);
  {
    using map = openEvents(bench.pins)!;
    using ring = new RingReader(map);
    assertEquals(ring.drain((record) => assertEquals(decodeEvent(record).offset, 3)), 1);
  }
  assertEquals(detachDiode(bench.pins), true);
  assertNothingLeft(bench);
});

Deno.test("adopted after kill -9: same ids, counters and unread events kept", async () => {
  using bench = new Bench();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", "--no-lock", "--no-check", FIXTURE],
      ...[bench.netns, String(bench.ifindex), bench.pins, "hateless"],
    ],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const said = JSON.parse(new TextDecoder().decode((await reader.read()).value));
  bench.inside(() => setUp(bench.name, true));
  bench.tap.write(guestFrame("I hate"));
  child.kill("SIGKILL");
  assertEquals((await child.status).signal, "SIGKILL");
  await reader.cancel();
  bench.tap.write(guestFrame("harmless"));
  bench.tap.write(guestFrame("hate again"));

  for (const unread of [2, 0]) {
    using guard = raise(bench);
    assertEquals([guard.how, guard.adopted], ["adopted", true]);
    assertEquals(guard.ids, said.ids);
    assertEquals(guard.counters().predicate, 2);
    assertEquals(guard.counters().pass, 1);
    assertEquals(guard.ring.drain(() => {}), unread);
    bench.inside(() => guard.check());
  }
});

Deno.test("another diode's tables are not adopted, although the tag is the same", () => {
  using bench = new Bench();
  let first, tag;
  {
    using guard = raise(bench, opposite);
    first = guard.ids;
    tag = readDiode(bench.pins)!.tag;
    using program = BpfProgram.fromId(first.program);
    assertEquals(program.run(guestFrame("I hate")).verdict, XDP.pass);
  }
  using guard = raise(bench);
  assertEquals([guard.how, guard.adopted], ["replaced", false]);
  assertEquals(guard.ids.link, first.link);
  assertNotEquals(guard.ids.program, first.program);
  assertEquals(readDiode(bench.pins)!.tag, tag);
  assertEquals(guard.counters().pass, 0);
  assertEquals(bench.programOnTap, guard.ids.program);
  using program = BpfProgram.fromId(guard.ids.program);
  assertEquals(program.run(guestFrame("I hate")).verdict, XDP.drop);
});

/** Pins a program that somebody made over maps of our shapes; `change` makes it wrong. */
function pinForged(bench: Bench, change: (forge: Forge) => void): void {
  using stack = new DisposableStack();
  const shapes = {
    table: { valueSize: hateless.table.length, readOnlyForProgram: true },
    config: { valueSize: hateless.config.length, readOnlyForProgram: true },
    counters: { valueSize: 256, readOnlyForProgram: false },
  };
  const forge: Forge = { shapes, freeze: "before", instructions: diodeProgram };
  change(forge);
  const array = (role: keyof typeof shapes) =>
    stack.use(BpfMap.create({ kind: "array", name: "t_forged", maxEntries: 1, ...shapes[role] }));
  const maps = {
    table: array("table"),
    config: array("config"),
    counters: array("counters"),
    events: stack.use(
      BpfMap.create({ kind: "ringbuf", name: "t_ring", valueSize: 0, maxEntries: 262_144 }),
    ),
  };
  maps.table.write(hateless.table);
  maps.config.write(hateless.config);
  const freeze = () => [maps.table, maps.config].forEach((map) => map.freeze());
  if (forge.freeze === "before") freeze();
  const fds = {
    table: maps.table.fd,
    config: maps.config.fd,
    counters: maps.counters.fd,
    events: maps.events.fd,
  };
  const instructions = forge.instructions(fds);
  const program = stack.use(BpfProgram.load({ name: "vei_diode", instructions }));
  if (forge.freeze === "after") freeze();
  const link = stack.use(bench.inside(() => XdpLink.attach(program, bench.ifindex)));
  Deno.mkdirSync(bench.pins);
  link.pin(bench.pin);
}

interface Forge {
  shapes: Record<string, { valueSize: number; readOnlyForProgram: boolean }>;
  freeze: "before" | "after" | "never";
  instructions: (fds: DiodeMaps<number>) => Uint8Array;
}

/** Our program but for the last verdict: dropped frames pass. */
function passingDrops(fds: DiodeMaps<number>): Uint8Array {
  const bytes = diodeProgram(fds);
  const [drop, pass] = [XDP.drop, XDP.pass];
  // mov r0, 1; exit: the last two instructions.
  assertEquals([...bytes.subarray(-16)], [0xb7, 0, 0, 0, drop, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
  bytes[bytes.length - 12] = pass;
  return bytes;
}

Deno.test("a true copy made by somebody else is as good as ours", () => {
  using bench = new Bench();
  pinForged(bench, () => {});
  using guard = raise(bench);
  assertEquals(guard.how, "adopted");
});

const FORGERIES: Record<string, (forge: Forge) => void> = {
  "tables never frozen": (forge) => forge.freeze = "never",
  "tables frozen after the load": (forge) => forge.freeze = "after",
  "a table that programs can write": (forge) => forge.shapes.table.readOnlyForProgram = false,
  "counters of another size": (forge) => forge.shapes.counters.valueSize = 512,
  "a program that lets all pass": (forge) => forge.instructions = passingDrops,
};

for (const [what, change] of Object.entries(FORGERIES)) {
  Deno.test(`not adopted but replaced: ${what}`, () => {
    using bench = new Bench();
    pinForged(bench, change);
    using guard = raise(bench);
    assertEquals(guard.how, "replaced");
    using program = BpfProgram.fromId(guard.ids.program);
    assertEquals(program.run(guestFrame("I hate")).verdict, XDP.drop);
  });
}

Deno.test("a pinned program with other maps is replaced, and reading it is an error", () => {
  using bench = new Bench();
  Deno.mkdirSync(bench.pins);
  {
    using program = constantProgram(XDP.pass);
    using link = bench.inside(() => XdpLink.attach(program, bench.ifindex));
    link.pin(bench.pin);
  }
  assertEquals(failure(() => readDiode(bench.pins))[0], "diode-foreign");
  using guard = raise(bench);
  assertEquals(guard.how, "replaced");
});

Deno.test("a dead pin is replaced: the interface was made anew", () => {
  using bench = new Bench();
  let first;
  {
    using guard = raise(bench);
    first = guard.ids;
    bench.tap[Symbol.dispose]();
    bench.inside(() => deleteInterface(bench.name));
  }
  assertEquals(readDiode(bench.pins)!.ifindex, 0);
  const ifindex = bench.inside(() => {
    using _tap = Tap.open(bench.name, { persist: true });
    return interfaceIndex(bench.name);
  });
  using guard = raise(bench, hateless, ifindex);
  assertEquals(guard.how, "attached");
  assertNotEquals(guard.ids.link, first.link);
  assertEquals(bench.programOnTap, guard.ids.program);
});

Deno.test("a link on another interface, or on the same number elsewhere, is refused", () => {
  using bench = new Bench();
  raise(bench)[Symbol.dispose]();
  const second = bench.inside(() => {
    using _tap = Tap.open(`${bench.name}b`, { persist: true });
    return interfaceIndex(`${bench.name}b`);
  });
  const [code, exit, message] = failure(() => raise(bench, hateless, second));
  assertEquals([code, exit], ["diode-elsewhere", 75]);
  assertMatch(
    message,
    new RegExp(`guards interface ${bench.ifindex}, not the interface ${second}`),
  );
  // Two fresh namespaces number their interfaces alike.
  using other = new Bench();
  assertEquals(other.ifindex, bench.ifindex);
  const again = failure(() =>
    other.inside(() => raiseDiode({ plan: hateless, ifindex: other.ifindex, pins: bench.pins }))
  );
  assertEquals(again[0], "diode-elsewhere");
  assertEquals(other.programOnTap, null);
  assertNotEquals(bench.programOnTap, null);
});

Deno.test("somebody else's program on the hook: refused, untouched, nothing left", () => {
  using bench = new Bench();
  using program = constantProgram(XDP.pass);
  using theirs = bench.inside(() => XdpLink.attach(program, bench.ifindex));
  const [code, exit, message] = failure(() => raise(bench));
  assertEquals([code, exit], ["diode-hook-taken", 75]);
  assertMatch(message, new RegExp(`program ${program.info().id}`));
  assertEquals(bench.programOnTap, program.info().id);
  theirs.detach();
  assertNothingLeft(bench);
});

Deno.test("an interface that is up without a diode is refused", () => {
  using bench = new Bench();
  bench.inside(() => setUp(bench.name, true));
  assertEquals(failure(() => raise(bench)).slice(0, 2), ["diode-interface-up", 75]);
  assertNothingLeft(bench);
});

Deno.test("what fails on the way leaves nothing", () => {
  using bench = new Bench();
  assertThrows(() => raise(bench, hateless, 4242));
  assertNothingLeft(bench);
  // A place where nothing can be pinned: found out only after the attachment.
  assertThrows(() =>
    bench.inside(() => raiseDiode({ plan: hateless, ifindex: bench.ifindex, pins: "/tmp" }))
  );
  assertNothingLeft(bench);
  const wrong = { ...hateless, table: hateless.table.subarray(1) };
  assertThrows(
    () => bench.inside(() => raiseDiode({ plan: wrong, ifindex: bench.ifindex, pins: bench.pins })),
    RangeError,
  );
  assertNothingLeft(bench);
  using guard = raise(bench);
  assertEquals(guard.how, "attached");
});

Deno.test("what is not what was proved is not loaded, nor taken over", () => {
  using bench = new Bench();
  for (
    const plan of [
      { ...opposite, proof: hateless.proof },
      { ...hateless, table: opposite.table },
      { ...hateless, config: hateless.config.with(CONFIG.dropEmpty, 1) },
    ]
  ) {
    assertEquals(failure(() => raise(bench, plan)).slice(0, 2), ["proof-other", 70]);
    assertNothingLeft(bench);
  }
  using _guard = raise(bench);
  const other = { ...hateless, proof: opposite.proof };
  assertEquals(failure(() => raise(bench, other)).slice(0, 2), ["proof-other", 70]);
});

Deno.test("a foreign pin at our path is not touched", () => {
  using bench = new Bench();
  Deno.mkdirSync(bench.pins);
  using table = BpfMap.create({ kind: "array", name: "t_other", valueSize: 8, maxEntries: 1 });
  XdpLink.prototype.pin.call({ fd: table.fd } as unknown as XdpLink, bench.pin);
  for (const action of [() => raise(bench), () => detachDiode(bench.pins)]) {
    assertEquals(failure(action).slice(0, 2), ["pin-foreign", 78]);
  }
  assertEquals(bench.programOnTap, null);
  assert(Deno.statSync(bench.pin).isFile);
});

Deno.test("kernel objects found by id tell what is wrong with them", () => {
  using ours = DiodeObjects.create(hateless, hateless.proof);
  assertEquals(ours.differenceFrom(hateless), null);
  assertEquals(ours.isOurProgram(hateless.proof), true);
  assertEquals(ours.digests().table, hateless.digests.table);
  assertMatch(ours.differenceFrom(opposite)!, /the (table|config) map holds other bytes/);
  using found = DiodeObjects.open(ours.program.info().id);
  assertEquals(found.mapIds, ours.mapIds);
  using other = loadLines([mapReference("r1", ours.maps.events.fd), mov("r0", 1), exit()]);
  assertEquals(failure(() => DiodeObjects.open(other.info().id))[0], "diode-foreign");
  using more = loadLines([mapValue("r1", ours.maps.table.fd), mov("r0", 1), exit()]);
  assertEquals(failure(() => DiodeObjects.open(more.info().id))[0], "diode-foreign");
});
