import { assertEquals, assertThrows } from "@std/assert";
import { VeiError } from "../../../base/errors.ts";
import type { Instruction } from "./decode.ts";
import { Executor } from "./execute.ts";
import { entryState } from "./state.ts";
import { Terms } from "./term.ts";

const EXIT: Instruction = { kind: "exit" };
const PASS: Instruction = { kind: "alu", operation: "mov", register: 0, operand: 2n };

function run(program: readonly (Instruction | null)[], cuts: number[] = [], start = 0) {
  const t = new Terms();
  const length = t.zext(t.variable("length", 32), 64);
  const outcome = new Executor(t, program, length, new Set(cuts)).run(start, entryState(t));
  return { t, outcome };
}

function refused(program: readonly (Instruction | null)[], words: string, start = 0): void {
  const error = assertThrows(() => run(program, [], start), VeiError, words);
  assertEquals(error.code, "proof-program");
}

Deno.test("a way ends at a cut, be it behind or before", () => {
  for (const to of [0, 3]) {
    const { t, outcome } = run([PASS, { kind: "goto", to }, null, EXIT], [0, 3]);
    assertEquals([...outcome.cuts].map(([slot, states]) => [slot, states.length]), [[to, 1]]);
    assertEquals([outcome.pass, outcome.drop, outcome.safe], [t.false, t.false, t.true]);
  }
});

Deno.test("a jump that does not go forward is refused, where no cut is", () => {
  for (const to of [0, 1]) {
    refused([PASS, { kind: "goto", to }], "slot 1 jumps back to slot");
    const jump: Instruction = { kind: "jump", operation: "jeq", register: 0, operand: 2n, to };
    refused([PASS, jump, EXIT], "slot 1 jumps back to slot");
  }
});

Deno.test("where no instruction is, no way goes on", () => {
  refused([PASS], "slot 1 has no instruction");
  refused([PASS, null, EXIT], "slot 1 has no instruction");
  refused([PASS, EXIT], "slot 2 has no instruction", 2);
});

Deno.test("what was never written on each of the ways is not read", () => {
  const load: Instruction = { kind: "load", width: 2, register: 0, address: 10, offset: -8 };
  const store = (offset: number): Instruction => ({
    ...{ kind: "store", width: 1, register: 0, address: 10, offset },
  });
  refused([PASS, load, EXIT], "slot 1 loads 2 bytes from stack");
  refused([PASS, store(-8), load, EXIT], "slot 2 loads 2 bytes from stack");
  run([PASS, store(-8), store(-7), load, EXIT]);
  const over: Instruction = { kind: "jump", operation: "jeq", register: 1, operand: 0n, to: 5 };
  const known: Instruction = { kind: "alu", operation: "mov", register: 1, operand: 0n };
  refused([PASS, known, store(-8), over, store(-7), load, EXIT], "slot 5 loads 2 bytes from stack");
});

Deno.test("nothing is done with addresses but what the model knows", () => {
  const alu = (operation: "add" | "sub" | "or", register: number, operand: number | bigint) =>
    ({ kind: "alu", operation, register, operand }) as const;
  refused([alu("add", 1, 4n), EXIT], "slot 0 computes with context and number");
  refused([alu("sub", 10, 8n), EXIT], "slot 0 computes with stack and number");
  refused([alu("add", 10, 10), EXIT], "slot 0 computes with stack and stack");
  refused([PASS, alu("sub", 0, 10), EXIT], "slot 1 computes with number and stack");
  refused([alu("or", 10, 0n), EXIT], "slot 0 computes with stack and number");
  refused([alu("add", 2, 1n), EXIT], "slot 0 reads r2");
  refused(
    [{ kind: "store", width: 8, register: 1, address: 10, offset: -8 }, EXIT],
    "slot 0 takes",
  );
  refused(
    [{ kind: "map", register: 1, map: "events", offset: 0 }, null, alu("add", 1, 0n), EXIT],
    "slot 2 computes with events and number",
  );
});
