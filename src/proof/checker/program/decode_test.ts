import { assertEquals, assertThrows } from "@std/assert";
import { VeiError } from "../../../base/errors.ts";
import { decode, type Instruction } from "./decode.ts";

const FDS = { table: 11, config: 12, counters: 13, events: 14 };
const EXIT = "9500000000000000";

/** @param words instructions of 16 hex digits: opcode, registers, offset and immediate (RFC 9669). */
function program(...words: string[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(words.join("").match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

/** One instruction of every class, before an exit, and what it is. */
const GOOD: [hex: string, is: Instruction | [Instruction, null]][] = [
  ["07010000feffffff", { kind: "alu", operation: "add", register: 1, operand: 2n ** 64n - 2n }],
  ["1f21000000000000", { kind: "alu", operation: "sub", register: 1, operand: 2 }],
  ["6701000005000000", { kind: "alu", operation: "shl", register: 1, operand: 5n }],
  ["dc01000010000000", { kind: "swap16", register: 1 }],
  ["0500000000000000", { kind: "goto", to: 1 }],
  ["1501000007000000", { kind: "jump", operation: "jeq", register: 1, operand: 7n, to: 1 }],
  ["ad2a000000000000", { kind: "jump", operation: "jlt", register: 10, operand: 2, to: 1 }],
  ["6121040000000000", { kind: "load", width: 4, register: 1, address: 2, offset: 4 }],
  ["7ba1f8ff00000000", { kind: "store", width: 8, register: 10, address: 1, offset: -8 }],
  ["db21080000000000", { kind: "count", register: 2, address: 1, offset: 8 }],
  ["8500000005000000", { kind: "call", helper: 5 }],
  [EXIT, { kind: "exit" }],
  ["181100000e0000000000000000000000", [
    { kind: "map", register: 1, map: "events", offset: 0 },
    null,
  ]],
  ["182100000b0000000000000005000000", [
    { kind: "map", register: 1, map: "table", offset: 5 },
    null,
  ]],
];

Deno.test("each kind of instruction is read", () => {
  for (const [hex, is] of GOOD) {
    assertEquals(decode(program(hex, EXIT), FDS), [is, { kind: "exit" }].flat() as Instruction[]);
  }
});

function refused(bytes: Uint8Array, what: string): void {
  const error = assertThrows(() => decode(bytes, FDS), VeiError, "Not proved", what);
  assertEquals(error.code, "proof-program", what);
}

Deno.test("a field that an instruction does not use is zero", () => {
  /** Of each kind, the fields that it does not use. */
  const unused: [hex: string, fields: ("register" | "source" | "offset" | "immediate")[]][] = [
    [GOOD[0][0], ["source", "offset"]],
    [GOOD[1][0], ["offset", "immediate"]],
    [GOOD[2][0], ["source", "offset"]],
    [GOOD[3][0], ["source", "offset"]],
    [GOOD[4][0], ["register", "source", "immediate"]],
    [GOOD[5][0], ["source"]],
    [GOOD[6][0], ["immediate"]],
    [GOOD[7][0], ["immediate"]],
    [GOOD[8][0], ["immediate"]],
    [GOOD[9][0], ["immediate"]],
    [GOOD[10][0], ["register", "source", "offset"]],
    [GOOD[11][0], ["register", "source", "offset", "immediate"]],
    [GOOD[12][0], ["offset"]],
    [GOOD[13][0], ["offset"]],
  ];
  const bits = { register: [8, 12], source: [12, 16], offset: [16, 32], immediate: [32, 64] };
  for (const [hex, fields] of unused) {
    for (const field of fields) {
      for (let bit = bits[field][0]; bit < bits[field][1]; bit++) {
        const bytes = program(hex, EXIT);
        bytes[bit >> 3] ^= 1 << (bit & 7);
        refused(bytes, `${hex}, ${field}, bit ${bit}`);
      }
    }
  }
  // The second half of a wide one: all but its immediate; that too where the map itself is meant.
  for (const [hex, last] of [[GOOD[12][0], 128], [GOOD[13][0], 96]] as const) {
    for (let bit = 64; bit < last; bit++) {
      const bytes = program(hex, EXIT);
      bytes[bit >> 3] ^= 1 << (bit & 7);
      refused(bytes, `${hex}, bit ${bit}`);
    }
  }
});

Deno.test("bad modes, sizes, registers and places are refused", () => {
  const wrong = {
    "BPF_ALU (32 bits)": "0401000001000000",
    "BPF_JMP32": "1601000001000000",
    "multiplication": "2701000002000000",
    "negation": "8701000000000000",
    "xor": "a701000002000000",
    "signed shift": "c701000002000000",
    "signed jump": "6501000001000000",
    "signed division (offset 1)": "3701010002000000",
    "shift by a register": "6f21000000000000",
    "shift by 64": "6701000040000000",
    "shift by -1": "67010000ffffffff",
    "swap of 32 bits": "dc01000020000000",
    "to little-endian": "d401000010000000",
    "unconditional swap": "d701000010000000",
    "legacy load, absolute": "2000000000000000",
    "legacy load, indirect": "4001000000000000",
    "sign-extending load": "8121000000000000",
    "store of a constant": "6201000000000000",
    "atomic of 32 bits": "c321000000000000",
    "atomic add that fetches": "db21000001000000",
    "atomic or": "db21000040000000",
    "exchange": "db210000e1000000",
    "goto by the immediate": "0600000000000000",
    "call of a register": "8d00000005000000",
    "call of a function of the program": "8510000000000000",
    "call of a kernel function by its type": "8520000000000000",
    "exit with a register": "9501000000000000",
    "register 11": "bf1b000000000000",
    "source 11": "bfb1000000000000",
    "r10 set": "bf1a000000000000",
    "r10 loaded": "612a000000000000",
    "r10 swapped": "dc0a000010000000",
    "r10 a map": "181a00000e0000000000000000000000",
    "a constant of 64 bits": "180100000b0000000000000000000000",
    "a map by its index": "185100000b0000000000000000000000",
    "an unknown map": "181100000f0000000000000000000000",
  };
  for (const [what, hex] of Object.entries(wrong)) refused(program(hex, EXIT), what);
  const map = "182100000b0000000000000005000000";
  refused(program(), "nothing");
  refused(program(EXIT).subarray(1), "a part of an instruction");
  refused(program(...Array(4097).fill(EXIT)), "too many instructions");
  refused(program(map.slice(0, 16)), "half of a wide instruction");
  refused(program("0500010000000000", EXIT), "a jump behind the end");
  refused(program("0500feff00000000", EXIT), "a jump before the begin");
  refused(program("0500010000000000", map, EXIT), "a jump into a wide instruction");
  assertThrows(() => decode(program(EXIT), { ...FDS, events: 11 }), VeiError, "one descriptor");
});

Deno.test("an opcode that is not the diode's is refused, whatever the other fields are", () => {
  const taken = new Set<number>();
  for (let code = 0; code < 256; code++) {
    for (const registers of ["00", "10", "01", "11", "21"]) {
      for (const rest of ["000000000000", "000010000000", "00000b000000"]) {
        const hex = code.toString(16).padStart(2, "0") + registers + rest;
        try {
          decode(program(hex, code === 0x18 ? "0".repeat(16) : EXIT, EXIT), FDS);
          taken.add(code);
        } catch (error) {
          if (!(error instanceof VeiError)) throw error;
        }
      }
    }
  }
  // ALU64 with either operand, and shifts; jumps with either; LDX, STX; the rest.
  assertEquals(
    [...taken].sort((a, b) => a - b),
    [
      ...[0x07, 0x17, 0x47, 0x57, 0xb7, 0x0f, 0x1f, 0x4f, 0x5f, 0xbf, 0x67, 0x77],
      ...[0x15, 0x25, 0x45, 0x55, 0xa5, 0x1d, 0x2d, 0x4d, 0x5d, 0xad, 0x05, 0x85, 0x95],
      ...[0x61, 0x69, 0x71, 0x79, 0x63, 0x6b, 0x73, 0x7b, 0x18, 0xdb, 0xdc],
    ].sort((a, b) => a - b),
  );
});
