import { assert, assertEquals, assertThrows } from "@std/assert";
import { BpfMap } from "../../ffi/bpf_map.ts";
import type { BpfProgram } from "../../ffi/bpf_program.ts";
import { openLibraries } from "../../ffi/native.ts";
import { RingReader } from "../../ffi/ring.ts";
import { recordProgram } from "./bpf_support.ts";

openLibraries();

const FRAME = new Uint8Array(64);

function ringOf(bytes: number): BpfMap {
  return BpfMap.create({ kind: "ringbuf", name: "t_ring", valueSize: 0, maxEntries: bytes });
}

/** @returns what the program puts into a record of so many words. */
function expected(words: number): Uint8Array {
  const record = new Uint8Array(8 * words);
  for (let i = 0; i < words; i++) record[8 * i] = i + 1;
  return record;
}

function produce(program: BpfProgram, count: number): void {
  for (let i = 0; i < count; i++) program.run(FRAME);
}

Deno.test("records come in order, whole, across the end of the ring", () => {
  using map = ringOf(4096);
  using small = recordProgram(map, 8);
  using large = recordProgram(map, 200);
  using ring = new RingReader(map);
  for (let round = 0; round < 40; round++) {
    produce(small, 3);
    produce(large, 5);
    const records: Uint8Array[] = [];
    assertEquals(ring.drain((record) => records.push(record)), 8);
    const [one, two] = [expected(1), expected(25)];
    assertEquals(records, [one, one, one, two, two, two, two, two]);
  }
  assertEquals(ring.drain(() => {}), 0);
});

Deno.test("a full ring takes no more, and goes on after it was read", () => {
  using map = ringOf(4096);
  using program = recordProgram(map, 56);
  using ring = new RingReader(map);
  produce(program, 100);
  // 64 bytes a record; the kernel never fills the last byte.
  assertEquals(ring.drain(() => {}), 63);
  produce(program, 10);
  assertEquals(ring.drain(() => {}), 10);
});

Deno.test("a reader that only looks leaves everything for the next one", () => {
  using map = ringOf(4096);
  using program = recordProgram(map, 8);
  produce(program, 5);
  {
    using look = new RingReader(map, { consume: false });
    assertEquals(look.drain(() => {}), 5);
    assertEquals(look.drain(() => {}), 0);
    produce(program, 2);
    assertEquals(look.drain(() => {}), 2);
  }
  using ring = new RingReader(map);
  assertEquals(ring.drain(() => {}), 7);
});

Deno.test("a reader that starts again goes on where the last one stopped", () => {
  using map = ringOf(4096);
  using program = recordProgram(map, 8);
  produce(program, 5);
  {
    using ring = new RingReader(map);
    assertEquals(ring.drain(() => {}), 5);
  }
  produce(program, 2);
  using again = BpfMap.fromId(map.info().id);
  using ring = new RingReader(again);
  assertEquals(ring.drain(() => {}), 2);
});

Deno.test("a record counts as read although its reader failed", () => {
  using map = ringOf(4096);
  using program = recordProgram(map, 8);
  using ring = new RingReader(map);
  produce(program, 3);
  assertThrows(() =>
    ring.drain(() => {
      throw new Error("no");
    })
  );
  assertEquals(ring.drain(() => {}), 2);
});

Deno.test("closing the reader from inside is safe, and reading after it is refused", () => {
  using map = ringOf(4096);
  using program = recordProgram(map, 8);
  const ring = new RingReader(map);
  produce(program, 3);
  assertEquals(ring.drain(() => ring[Symbol.dispose]()), 1);
  assertThrows(() => ring.drain(() => {}), TypeError);
  ring[Symbol.dispose]();
});

Deno.test("wait: at once when there is something, else until it comes or the time is up", async () => {
  using map = ringOf(4096);
  using program = recordProgram(map, 8);
  using ring = new RingReader(map);
  const begin = performance.now();
  assertEquals(await ring.wait(100), false);
  assert(performance.now() - begin >= 95);
  const waiting = ring.wait(20_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  program.run(FRAME);
  assertEquals(await waiting, true);
  assertEquals(await ring.wait(20_000), true);
  assert(performance.now() - begin < 10_000);
  assertEquals(ring.drain(() => {}), 1);
});

Deno.test("a wait that outlives its reader ends without harm", async () => {
  using map = ringOf(4096);
  const ring = new RingReader(map);
  const waiting = ring.wait(200);
  ring[Symbol.dispose]();
  assertEquals(await waiting, false);
  assertEquals(await ring.wait(200), false);
});

Deno.test("an array is no ring", () => {
  using map = BpfMap.create({ kind: "array", name: "t_array", valueSize: 8, maxEntries: 1 });
  assertThrows(() => new RingReader(map), TypeError);
});
