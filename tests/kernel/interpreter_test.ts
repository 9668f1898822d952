/** Our own reading of the instructions against the kernel's. */
import { assertEquals, assertThrows, fail } from "@std/assert";
import { BpfMap } from "../../ffi/bpf_map.ts";
import { BpfProgram, XDP } from "../../ffi/bpf_program.ts";
import { hex } from "../../src/base/bytes.ts";
import { judgePredicate } from "../../src/automaton/judgement.ts";
import { assemble } from "../../src/bpf/assembler.ts";
import { disassemble } from "../../src/bpf/disassembler.ts";
import { decodeEvent } from "../../src/bpf/event.ts";
import { Fault, interpret, interpreterOf } from "../../src/bpf/interpreter.ts";
import { add, call, exit, load, mapReference, mov } from "../../src/bpf/isa.ts";
import { COUNTER_VALUE_BYTES, encodeConfig, encodeTable } from "../../src/bpf/layout.ts";
import { diodeProgram } from "../../src/bpf/program.ts";
import { REASONS } from "../../src/bpf/reasons.ts";
import { parsePredicate } from "../../src/policy/parse.ts";
import { wholeFile } from "../../src/policy/source.ts";
import { seeded } from "../judge/random.ts";
import { sameEvents } from "./expected.ts";
import { anyFrame, anyPayload, LINK } from "./frames.ts";
import { kernelTest, LoadedDiode, rulesOf } from "./loaded_diode.ts";
import { FRAME_BYTES, randomProgram, VALUE_BYTES } from "./random_program.ts";

kernelTest("1,000 random programs, 100,000 runs: verdict and memory are the kernel's", () => {
  const random = seeded(21);
  using map = BpfMap.create({
    kind: "array",
    name: "t_value",
    valueSize: VALUE_BYTES,
    maxEntries: 1,
  });
  const bytes = (length: number) => Uint8Array.from({ length }, () => random.below(256));
  const verdicts = new Set<number>();
  for (let i = 0; i < 1000; i++) {
    const instructions = assemble(randomProgram(random, 10 + random.below(40), map.fd));
    using program = BpfProgram.load({ name: "t_random", instructions });
    const interpretIt = interpreterOf(instructions);
    for (let run = 0; run < 100; run++) {
      const [frame, value] = [bytes(FRAME_BYTES + random.below(8)), bytes(VALUE_BYTES)];
      map.write(value);
      const { verdict } = program.run(frame);
      const own = interpretIt({ frame, values: new Map([[map.fd, value]]) });
      const read = map.read();
      if (own.verdict !== verdict >>> 0 || value.some((byte, at) => byte !== read[at])) {
        fail(
          `kernel ${verdict >>> 0}, interpreter ${own.verdict}, value ${hex(value)}, ` +
            `frame ${hex(frame)}\n${disassemble(instructions).join("\n")}`,
        );
      }
      verdicts.add(own.verdict);
    }
  }
  // Programs that all do nothing would agree too.
  if (verdicts.size < 10_000) fail(`only ${verdicts.size} different verdicts`);
});

kernelTest(
  "the diode's program, interpreted: verdicts, counters and events are the kernel's",
  () => {
    const random = seeded(22);
    const text = 'not contains "hate" within 512 and size < 1300';
    const judgement = judgePredicate(parsePredicate(wholeFile(text, "test")));
    using diode = new LoadedDiode(judgement, LINK);
    const fds = { table: 1, config: 2, counters: 3, events: 4 };
    const counters = new Uint8Array(COUNTER_VALUE_BYTES);
    const events: Uint8Array[] = [];
    const world = {
      values: new Map([
        [fds.table, encodeTable(judgement.dfa)],
        [fds.config, encodeConfig(rulesOf(LINK), judgement)],
        [fds.counters, counters],
      ]),
      rings: new Map([[fds.events, (record: Uint8Array) => events.push(record) > 0]]),
    };
    const interpretIt = interpreterOf(diodeProgram(fds));
    let frame;
    for (let i = 0; i < 3000; i++) {
      do frame = anyFrame(random, anyPayload(random)); while (frame.length > 3520);
      const { verdict } = diode.program.run(frame);
      assertEquals(interpretIt({ ...world, frame }).verdict, verdict, hex(frame));
      const own = events.splice(0).map((record) => {
        const { timeNs: _, ...rest } = decodeEvent(record);
        return rest;
      });
      assertEquals(own.length, verdict === XDP.drop ? 1 : 0);
      sameEvents(diode.events(), own);
    }
    const view = new DataView(counters.buffer);
    const kernel = diode.counters();
    REASONS.forEach((reason, slot) =>
      assertEquals(view.getBigUint64(8 * slot, true), kernel[reason], reason)
    );
  },
);

Deno.test("the interpreter refuses what no verified program does", () => {
  const run = (lines: Parameters<typeof assemble>[0]) =>
    interpret(assemble(lines), { frame: new Uint8Array(4), values: new Map() });
  const wrong = [
    [mov("r0", "r3"), exit()], // never written
    [load(4, "r2", "r1", 0), load(8, "r0", "r2", 0), exit()], // beyond the frame
    [load(1, "r0", "r10", 0), exit()], // above the stack
    [mov("r0", 0), add("r0", 1)], // no exit
    [call(1), exit()], // another helper
    [mapReference("r1", 5), exit()], // no such map
  ];
  for (const lines of wrong) assertThrows(() => run(lines), Fault);
});

Deno.test("disassembled: a line for each instruction, jumps by slot, maps by name", () => {
  const fds = { table: 1, config: 2, counters: 3, events: 4 };
  const names = { 1: "table", 2: "config", 3: "counters", 4: "events" };
  const lines = disassemble(diodeProgram(fds), { maps: names });
  assertEquals(lines.slice(0, 4).map((line) => line.trim()), [
    "0: r6 = *(u32 *)(r1 +0)",
    "1: r8 = *(u32 *)(r1 +4)",
    "2: r7 = config.value + 0",
    "4: r4 = 0",
  ]);
  assertEquals(lines.filter((line) => line.includes("call")).map((line) => line.slice(6)), [
    "call ktime_get_ns",
    "call ringbuf_output",
  ]);
  assertThrows(() => disassemble(Uint8Array.of(0x8d, 0, 0, 0, 0, 0, 0, 0)), RangeError);
});
