import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { BpfMap, RDONLY_PROG } from "../../ffi/bpf_map.ts";
import { BpfProgram, XDP } from "../../ffi/bpf_program.ts";
import { openLibraries, SystemError } from "../../ffi/native.ts";
import { exit, load, mapValue, mov, store } from "../../src/bpf/isa.ts";
import { constantProgram, loadLines, tableProgram } from "./bpf_support.ts";
import { AS_NOBODY, jsonOf, runFixture } from "./net_support.ts";

openLibraries();

const FRAME = new Uint8Array(64);

function tableOf(byte: number, readOnlyForProgram = true): BpfMap {
  const table = BpfMap.create({
    kind: "array",
    name: "t_table",
    valueSize: 16,
    maxEntries: 1,
    readOnlyForProgram,
  });
  table.write(new Uint8Array(16).fill(byte));
  return table;
}

Deno.test("a map tells what it is and gives back what was written", () => {
  using map = BpfMap.create({ kind: "array", name: "t_map", valueSize: 24, maxEntries: 3 });
  const value = crypto.getRandomValues(new Uint8Array(24));
  map.write(value, 2);
  assertEquals(map.read(2), value);
  assertEquals(map.read(0), new Uint8Array(24));
  const { id: _, ...info } = map.info();
  assertEquals(info, {
    type: 2,
    keySize: 4,
    valueSize: 24,
    maxEntries: 3,
    flags: 0,
    name: "t_map",
  });
  assertThrows(() => map.write(new Uint8Array(23)), RangeError);
  const beyond = assertThrows(() => map.read(3), SystemError);
  assertEquals(beyond.errno, "ENOENT");
});

Deno.test("a frozen map takes no more writes, by whatever descriptor", () => {
  using table = tableOf(1);
  assertEquals(table.frozen(), false);
  table.freeze();
  assert(table.frozen());
  assertEquals(table.info().flags, RDONLY_PROG);
  using again = BpfMap.fromId(table.info().id);
  assert(again.frozen());
  for (const map of [table, again]) {
    const error = assertThrows(() => map.write(new Uint8Array(16)), SystemError);
    assertEquals(error.errno, "EPERM");
  }
  assertEquals(again.read(), new Uint8Array(16).fill(1));
});

Deno.test("ids that nothing has", () => {
  for (const open of [() => BpfMap.fromId(0x7fff_fff0), () => BpfProgram.fromId(0x7fff_fff0)]) {
    assertEquals(assertThrows(open, SystemError).errno, "ENOENT");
  }
});

Deno.test("a program runs on frames that go nowhere", () => {
  for (const verdict of [XDP.drop, XDP.pass]) {
    using program = constantProgram(verdict);
    assertEquals(program.run(FRAME).verdict, verdict);
  }
  using program = constantProgram(XDP.pass);
  assert(program.run(new Uint8Array(3520), 1000).durationNs < 100_000);
  for (const length of [0, 13, 3521]) {
    assertThrows(() => program.run(new Uint8Array(length)), RangeError);
  }
});

Deno.test("what was loaded can be read back, also by id", () => {
  using table = tableOf(XDP.pass);
  table.freeze();
  using program = tableProgram(table);
  const info = program.info();
  assertMatch(info.tag, /^[0-9a-f]{16}$/);
  assertEquals(info.name, "t_small");
  assertEquals(info.mapIds, [table.info().id]);
  assert(info.translated.length > 0 && info.translated.length % 8 === 0);
  assert(info.verifiedInstructions > 0);
  using same = BpfProgram.fromId(info.id);
  assertEquals(same.info(), info);
});

Deno.test("the tag binds no table; map ids and folded values tell them apart", () => {
  using passing = tableOf(XDP.pass);
  using dropping = tableOf(XDP.drop);
  passing.freeze();
  dropping.freeze();
  using a = tableProgram(passing);
  using b = tableProgram(dropping);
  using c = tableProgram(passing);
  assertEquals([a, b, c].map((p) => p.run(FRAME).verdict), [XDP.pass, XDP.drop, XDP.pass]);
  assertEquals(a.info().tag, b.info().tag);
  assertNotEquals(a.info().translated, b.info().translated);
  assertEquals(a.info().translated, c.info().translated);
});

Deno.test("the error of a refused program carries the verifier's reason", () => {
  const unset = assertThrows(() => loadLines([exit()], "t_bad"), SystemError);
  assertMatch(unset.message, /R0 !read_ok/);
  assertMatch(unset.message, /t_bad.*EACCES/);
  // A long log: the reason is at its end and must not be lost.
  const long = [...Array(3000).keys()].map((i) => mov("r1", i));
  const error = assertThrows(() => loadLines([...long, exit()]), SystemError);
  assertMatch(error.message, /R0 !read_ok/);
  assert(error.message.length < 8000);
});

Deno.test("a program cannot write to a read-only table", () => {
  using table = tableOf(0);
  const lines = [mapValue("r1", table.fd), mov("r0", 1), store(1, "r1", 0, "r0"), exit()];
  assertMatch(
    assertThrows(() => loadLines(lines), SystemError).message,
    /write into map forbidden/,
  );
  using writable = tableOf(0, false);
  lines[0] = mapValue("r1", writable.fd);
  using program = loadLines(lines);
  program.run(FRAME);
  assertEquals(writable.read()[0], 1);
  assertThrows(() => loadLines([mapValue("r1", table.fd), load(1, "r0", "r1", 16), exit()]));
});

Deno.test("without the capabilities every step says what it needs", async () => {
  const result = await runFixture("bpf_attempt", [], { wrapper: AS_NOBODY });
  const answers = jsonOf<Record<string, { code: string; exit: number; hint: string }>>(result);
  for (const [step, { code, exit, hint }] of Object.entries(answers)) {
    assertEquals([step, code, exit], [step, "system-eperm", 77]);
    assertMatch(hint, /root/);
  }
  assertEquals(Object.keys(answers), ["map", "program", "mapById"]);
});
