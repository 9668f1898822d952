import { assert, assertEquals, assertThrows } from "@std/assert";
import { compilePredicate } from "../automaton/compile.ts";
import { wholePayload } from "../automaton/judgement.ts";
import { VeiError } from "../base/errors.ts";
import { hex } from "../base/bytes.ts";
import { assemble, label } from "./assembler.ts";
import { decodeEvent } from "./event.ts";
import { add, exit, jump, jumpIfEqual, load, mapValue, mov, Opcode } from "./isa.ts";
import {
  CONFIG,
  CONFIG_VALUE_BYTES,
  COUNTER_VALUE_BYTES,
  encodeConfig,
  encodeTable,
  EVENT_BYTES,
  TABLE,
  TABLE_VALUE_BYTES,
  WALK_LIMIT,
} from "./layout.ts";
import { diodeProgram } from "./program.ts";
import { REASONS, slotOf } from "./reasons.ts";

const RULES = {
  hostMac: "02:00:00:00:00:01",
  guestMac: "52:54:00:12:34:56",
  hostIp: "172.30.0.1",
  guestIp: "172.30.0.11",
  guestPort: 8080,
  maxFrame: 1514,
};

Deno.test("the assembler writes RFC 9669's bytes", () => {
  const program = assemble([
    mov("r0", -1),
    label("again"),
    load(2, "r3", "r10", -4),
    mapValue("r9", 7, 131_584),
    add("r3", "r9"),
    jumpIfEqual("r3", 5, "end"),
    jump("again"),
    label("end"),
    exit(),
  ]);
  assertEquals(
    hex(program).match(/.{16}/g),
    [
      "b7000000ffffffff",
      "69a3fcff00000000",
      "1829000007000000",
      "0000000000020200",
      "0f93000000000000",
      "1503010005000000",
      "0500faff00000000",
      "9500000000000000",
    ],
  );
  assertThrows(() => assemble([jump("nowhere")]), RangeError);
  assertThrows(() => assemble([label("a"), label("a")]), RangeError);
  const far = Array.from({ length: 40_000 }, () => exit());
  assertThrows(() => assemble([jump("end"), ...far, label("end"), exit()]), RangeError);
});

Deno.test("the program: one for every diode; only known instructions, helpers and maps", () => {
  const program = diodeProgram({ table: 11, config: 12, counters: 13, events: 14 });
  const view = new DataView(program.buffer);
  const known = new Set<number>(Object.values(Opcode));
  const [maps, helpers] = [new Set<number>(), new Set<number>()];
  for (let at = 0; at < program.length; at += 8) {
    const opcode = program[at];
    const memory = (opcode & 0x07) === 1 || (opcode & 0xe7) === 0x63; // LDX, STX
    assert(known.has(opcode) || memory, `instruction ${at / 8}: ${opcode.toString(16)}`);
    if (opcode === Opcode.call) helpers.add(view.getInt32(at + 4, true));
    if (opcode !== Opcode.wideMov) continue;
    maps.add(view.getInt32(at + 4, true));
    view.setInt32(at + 4, 0, true);
    at += 8;
  }
  assertEquals([...maps].sort(), [11, 12, 13, 14]);
  assertEquals([...helpers].sort(), [130, 5]);
  assertEquals(program, diodeProgram({ table: 0, config: 0, counters: 0, events: 0 }));
});

Deno.test("the layout keeps the program's promises", () => {
  assert(REASONS.length * 8 <= COUNTER_VALUE_BYTES);
  assertEquals([REASONS[0], EVENT_BYTES % 8, WALK_LIMIT % 4], ["pass", 0, 0]);
  // A payload of the longest Ethernet frame is walked to its end.
  assert(WALK_LIMIT > 1514 - 54);
});

Deno.test("table and configuration, byte by byte", () => {
  const dfa = compilePredicate({ kind: "starts-with", literals: [Uint8Array.of(0x41)] });
  assertEquals([dfa.stateCount, dfa.classCount, dfa.start, dfa.acceptFrom], [3, 2, 2, 3]);
  const table = encodeTable(dfa);
  assertEquals(table.length, TABLE_VALUE_BYTES);
  // dead, universal, start: restless kinds, class 0 (all bytes but A), class 1 (A); states times 3
  assertEquals(
    hex(table.subarray(0, 20)),
    "000000000000" + "000003000300" + "010000000300" + "0000",
  );
  assertEquals(table.subarray(TABLE.classes, TABLE.kinds).indexOf(1), 0x41);
  assertEquals(new Set(table.subarray(TABLE.kinds, TABLE.kinds + 256)), new Set([1]));

  const config = encodeConfig(RULES, wholePayload(dfa));
  assertEquals(config.length, CONFIG_VALUE_BYTES);
  assertEquals(
    hex(config),
    "020000000001" + "525400123456" + "ac1e000b" + "ac1e0001" + "1f90" + "0004" +
      "ea050000" + "0600" + "0000" + "06000000" + "09000000" + "00000000" +
      "00060000" + "00000000" + "ffffffff" + "00".repeat(8),
  );
  const open = encodeConfig(
    { ...RULES, anyMac: true, dropEmpty: true },
    { dfa, horizon: 512, leastSize: 3, mostSize: 400 },
  );
  const numbers = new DataView(open.buffer);
  assertEquals(
    [CONFIG.walkBytes, CONFIG.leastSize, CONFIG.mostSize].map((at) => numbers.getUint32(at, true)),
    [400, 3, 400],
  );
  assertEquals([open[CONFIG.anyMac], open[CONFIG.anyOptions], open[CONFIG.dropEmpty]], [1, 0, 1]);
});

Deno.test("link rules that are none are refused", () => {
  const judgement = wholePayload(
    compilePredicate({ kind: "size", comparison: "<", bound: 0 }),
  );
  const wrong = [
    { hostMac: "02:00" },
    { guestIp: "172.30.0" },
    { guestPort: 0 },
    { guestPort: 65_536 },
    { maxFrame: 53 },
    { maxFrame: 1514.5 },
  ];
  for (const field of wrong) {
    const error = assertThrows(() => encodeConfig({ ...RULES, ...field }, judgement), VeiError);
    assertEquals((error as VeiError).code, "link-rules");
  }
});

Deno.test("an event that is not the program's is refused", () => {
  const record = new Uint8Array(EVENT_BYTES);
  assertThrows(() => decodeEvent(record), RangeError); // reason 0 is no drop
  record[32] = REASONS.length;
  assertThrows(() => decodeEvent(record), RangeError);
  assertThrows(() => decodeEvent(record.subarray(1)), RangeError);
  record[32] = slotOf("mac");
  assertEquals(decodeEvent(record).offset, null);
});
