/**
 * The checker's model of the instructions against the kernel: random programs, executed once on
 * terms; then, run for run, the terms' values against what the kernel's own run gives.
 */
import { assert, assertEquals, fail } from "@std/assert";
import { hex } from "../../src/base/bytes.ts";
import { VeiError } from "../../src/base/errors.ts";
import { assemble, placesOf } from "../../src/bpf/assembler.ts";
import { disassemble } from "../../src/bpf/disassembler.ts";
import { CONFIG_VALUE_BYTES, TABLE_VALUE_BYTES } from "../../src/bpf/layout.ts";
import { decode } from "../../src/proof/checker/program/decode.ts";
import { Executor } from "../../src/proof/checker/program/execute.ts";
import { entryState } from "../../src/proof/checker/program/state.ts";
import { type Term, Terms } from "../../src/proof/checker/program/term.ts";
import { STAND_INS } from "../../src/proof/program_certificate.ts";
import { seeded } from "../judge/random.ts";
import { evaluator, functionsOf } from "../proof/evaluate.ts";
import { kernelTest } from "./loaded_diode.ts";
import { LEAST_FRAME, OPCODES, provedProgram } from "./proved_programs.ts";
import { ProgramWorld } from "./program_world.ts";

const SEED = 83, PROGRAMS = 1000, RUNS = 100;

/** What is to be so of a run: that an access is as the kernel allows it, and r0. */
type Model = (frame: Uint8Array, table: Uint8Array, config: Uint8Array) => {
  safe: boolean;
  /** Null where the terms say neither pass nor drop. */
  r0: bigint | null;
};

/** @param cut the slot before the exit, to read r0 there; null to have the exit itself in it. */
function modelOf(bytes: Uint8Array, cut: number | null): Model {
  const t = new Terms();
  const length = t.zext(t.variable("length", 32), 64);
  const cuts = new Set(cut === null ? [] : [cut]);
  const { pass, drop, safe, cuts: ends } = new Executor(t, decode(bytes, STAND_INS), length, cuts)
    .run(0, entryState(t));
  const states = cut === null ? [] : ends.get(cut)!;
  const zero = t.constant(0, 64);
  const r0: Term[] = states.map(({ registers }) => registers[0]?.term ?? zero);
  const guards = states.map(({ guard }) => guard);
  const valuesOf = evaluator([safe, pass, drop, ...guards, ...r0]);
  return (frame, table, config) => {
    const [isSafe, passes, drops, ...others] = valuesOf({
      variable: (name) => name === "length" ? BigInt(frame.length) : fail(`${name} matters`),
      apply: functionsOf(frame, table, config),
    });
    const here = guards.flatMap((_, i) => others[i] === 1n ? [others[guards.length + i]] : []);
    if (cut !== null) assertEquals(here.length, 1, "the end is reached in one way");
    return {
      safe: isSafe === 1n,
      r0: cut !== null ? here[0] : passes === 1n ? 2n : drops === 1n ? 1n : null,
    };
  };
}

/** Every opcode that the decoder takes, whatever the other fields have to be. */
function decodedOpcodes(): Set<number> {
  const taken = new Set<number>();
  for (let code = 0; code < 256; code++) {
    for (const registers of [0x00, 0x10]) {
      for (const immediate of [0, STAND_INS.table, 16]) {
        const bytes = new Uint8Array(16);
        bytes.set([code, registers, 0, 0, immediate]);
        if (code !== 0x18) bytes[8] = 0x95;
        try {
          decode(bytes, STAND_INS);
          taken.add(code);
        } catch (error) {
          if (!(error instanceof VeiError)) throw error;
        }
      }
    }
  }
  return taken;
}

kernelTest(
  `${PROGRAMS} random programs, ${PROGRAMS * RUNS} runs: the terms' r0 is the kernel's`,
  () => {
    const random = seeded(SEED);
    using world = new ProgramWorld();
    const results = new Set<bigint | null>();
    const opcodes = new Set<number>();
    for (let i = 0; i < PROGRAMS; i++) {
      const masked = random.once(4);
      const lines = provedProgram(random, 10 + random.below(40), STAND_INS, masked);
      const bytes = assemble(lines);
      for (const line of lines) if ("opcode" in line) opcodes.add(line.opcode);
      using program = world.load(bytes) ?? fail(disassemble(bytes).join("\n"));
      const model = modelOf(bytes, masked ? null : placesOf(lines).places.get("end")!);
      const table = random.bytes(TABLE_VALUE_BYTES);
      world.fill({ table });
      for (let run = 0; run < RUNS; run++) {
        const frame = random.bytes(LEAST_FRAME - 3 + random.below(40));
        const config = random.bytes(CONFIG_VALUE_BYTES);
        world.fill({ config });
        const { verdict } = program.run(frame);
        const { safe, r0 } = model(frame, table, config);
        results.add(r0);
        const right = masked
          ? r0 === null ? !safe && (verdict === 0 || verdict === 3) : safe && r0 === BigInt(verdict)
          : safe && BigInt.asUintN(32, r0!) === BigInt(verdict >>> 0);
        if (!right) {
          fail(
            `kernel ${verdict >>> 0}, terms ${r0}, safe ${safe}, frame ${hex(frame)}, ` +
              `config ${hex(config)}\n${disassemble(bytes).join("\n")}`,
          );
        }
      }
    }
    // Programs that all do nothing would agree too.
    assert(results.size > PROGRAMS * RUNS / 4, `only ${results.size} different results`);
    for (const r0 of [null, 1n, 2n]) assert(results.has(r0));
    assertEquals(decodedOpcodes().difference(opcodes), new Set());
    assertEquals(OPCODES.difference(opcodes), new Set());
  },
);
