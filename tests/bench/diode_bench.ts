/**
 * Speed of the diode in the kernel, by BPF_PROG_TEST_RUN, beside what cannot be beaten (a program
 * that touches nothing, one that only loads every byte) and what everyone knows (SHA-256 of the
 * same bytes). Run: `deno run -A tests/bench/diode_bench.ts`
 */
import { BpfProgram } from "../../ffi/bpf_program.ts";
import { judgePredicate } from "../../src/automaton/judgement.ts";
import { assemble, label } from "../../src/bpf/assembler.ts";
import { add, exit, jump, jumpIfGreater, jumpIfLess, load, mov } from "../../src/bpf/isa.ts";
import { parsePredicate } from "../../src/policy/parse.ts";
import { wholeFile } from "../../src/policy/source.ts";
import { LINK, serialise, spec } from "../kernel/frames.ts";
import { LoadedDiode } from "../kernel/loaded_diode.ts";

const SIZES = [0, 64, 512, 1400];
/** The promise: ns a byte over payloads of 1400 bytes. */
const LIMIT = 2.5;

/** @returns the fastest of several means: others share the machine. ns a frame. */
function fastest(program: BpfProgram, frame: Uint8Array): number {
  return Math.min(...Array.from({ length: 7 }, () => program.run(frame, 20_000).durationNs));
}

/** Harmless text that never lets the walk end early. */
function frameOf(size: number) {
  return serialise(spec({ payload: Uint8Array.from({ length: size }, (_, i) => 97 + i % 8) }));
}

function nothing(): BpfProgram {
  return BpfProgram.load({ name: "nothing", instructions: assemble([mov("r0", 2), exit()]) });
}

/** Adds up every byte of the payload, four in a round, as the diode's loop goes. */
function everyByte(): BpfProgram {
  return BpfProgram.load({
    name: "every_byte",
    instructions: assemble([
      load(4, "r2", "r1", 0),
      load(4, "r8", "r1", 4),
      add("r2", 54),
      mov("r0", 0),
      mov("r4", 0),
      label("group"),
      mov("r3", "r2"),
      add("r3", 4),
      jumpIfGreater("r3", "r8", "end"),
      ...[0, 1, 2, 3].flatMap((at) => [load(1, "r3", "r2", at), add("r0", "r3")]),
      add("r2", 4),
      add("r4", 4),
      jumpIfLess("r4", 1536, "group"),
      jump("end"),
      label("end"),
      mov("r0", 2),
      exit(),
    ]),
  });
}

function row(name: string, times: number[]) {
  const slope = (times[SIZES.length - 1] - times[0]) / SIZES[SIZES.length - 1];
  console.log(
    name.padEnd(34) + times.map((ns) => ns.toFixed(0).padStart(8)).join("") +
      slope.toFixed(2).padStart(12),
  );
  return slope;
}

/** @returns ns a byte. Of a megabyte: the call itself takes longer than one payload's digest. */
async function sha256PerByte(): Promise<number> {
  const bytes = new Uint8Array(1 << 20).fill(97);
  let best = Infinity;
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    await crypto.subtle.digest("SHA-256", bytes);
    best = Math.min(best, performance.now() - start);
  }
  return best * 1e6 / bytes.length;
}

function diodeTimes(predicate: string): number[] {
  const started = performance.now();
  const judgement = judgePredicate(parsePredicate(wholeFile(predicate, "bench")));
  const compiled = performance.now();
  using diode = new LoadedDiode(judgement, LINK);
  const loaded = performance.now();
  const { dfa } = judgement;
  const { verifiedInstructions } = diode.program.info();
  console.log(
    `${predicate}: ${dfa.stateCount} states, ${dfa.classCount} classes; compiled in ` +
      `${(compiled - started).toFixed(0)} ms, maps and program loaded in ` +
      `${(loaded - compiled).toFixed(0)} ms (${verifiedInstructions} instructions verified)`,
  );
  return SIZES.map((size) => fastest(diode.program, frameOf(size)));
}

const whole = diodeTimes('not contains "hate"');
const shipped = diodeTimes('not contains "hate" within 512');
using floor = nothing();
using touch = everyByte();

console.log(
  "\nns a frame, payload of".padEnd(35) + SIZES.map((s) => `${s} B`.padStart(8)).join("") +
    "ns/byte".padStart(12),
);
row("a program that touches nothing", SIZES.map((size) => fastest(floor, frameOf(size))));
const limit = row("a program that loads every byte", SIZES.map((s) => fastest(touch, frameOf(s))));
const every = row("diode, every byte decides", whole);
const hateless = row("diode hateless (first 512)", shipped);
const digest = await sha256PerByte();
console.log("SHA-256 (WebCrypto, 1 MiB)".padEnd(34) + digest.toFixed(2).padStart(44));
console.log(
  `\npromised: at most ${LIMIT} ns/byte over 1400-byte payloads. hateless ` +
    `${(hateless / LIMIT).toFixed(2)} of it; a predicate that every byte decides ` +
    `${(every / LIMIT).toFixed(2)} of it, ${(every / limit).toFixed(1)} times loading every byte ` +
    `(one add, a cycle, each), ${(every / digest).toFixed(2)} times SHA-256`,
);
