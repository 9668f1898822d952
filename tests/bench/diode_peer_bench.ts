/**
 * Every shipped diode in the kernel beside the same predicate in C, compiled by clang: what a
 * person would have written by hand. Needs clang (`apt-get install clang`), which nothing else here
 * does. Run: `deno run -A tests/bench/diode_peer_bench.ts`
 */
import { BpfMap } from "../../ffi/bpf_map.ts";
import { BpfProgram, XDP } from "../../ffi/bpf_program.ts";
import { messageOf } from "../../src/base/errors.ts";
import { shippedDiode, shippedDiodes } from "../../diodes/shipped.ts";
import { judgePredicate } from "../../src/automaton/judgement.ts";
import { Pseudo } from "../../src/bpf/isa.ts";
import { EVENTS_RING_BYTES } from "../../src/bpf/layout.ts";
import { parseDiodeFile } from "../../src/policy/diode_file.ts";
import { LINK, serialise, spec } from "../kernel/frames.ts";
import { LoadedDiode } from "../kernel/loaded_diode.ts";

const SIZES = [64, 512, 1399];
/** Where the first bytes decide; elsewhere C has to look at every byte as well. */
const BY_PREFIX = ["minimal", "printable16", "printable64", "json_start", "json_prefix", "closed"];

const PROSE =
  "The capital of France is Paris. It has been the heart of the country for more than a " +
  "thousand years, and what you see there today was made in the nineteenth century.\n";
const JSON_TEXT = '{"id": "c1", "items": ["one", "two", "three"], "note": "a few words more"}, ';

function payloadOf(diode: string, size: number): Uint8Array<ArrayBuffer> {
  const text = diode.startsWith("json") ? JSON_TEXT : PROSE.replaceAll("\n", " ");
  return new TextEncoder().encode(text.repeat(30)).slice(0, size);
}

/** @returns the code of section `xdp` of a relocatable ELF file (System V ABI, chapter 4). */
function codeOf(elf: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(elf.buffer);
  const sections = Number(view.getBigUint64(0x28, true));
  const header = (index: number) => sections + index * view.getUint16(0x3a, true);
  const place = (at: number) =>
    [0x18, 0x20].map((field) => Number(view.getBigUint64(at + field, true)));
  const [names] = place(header(view.getUint16(0x3e, true)));
  for (let i = 0; i < view.getUint16(0x3c, true); i++) {
    const name = names + view.getUint32(header(i), true);
    if (String.fromCharCode(...elf.subarray(name, name + 4)) !== "xdp\0") continue;
    const [begin, length] = place(header(i));
    return elf.slice(begin, begin + length);
  }
  throw new Error("there is no section xdp");
}

/** Wide movs of the numbers that the C source names become the counters' address and the ring. */
function withMaps(code: Uint8Array<ArrayBuffer>, counters: BpfMap, ring: BpfMap) {
  const view = new DataView(code.buffer);
  for (let at = 0; at < code.length; at += 8) {
    if (code[at] !== 0x18 || view.getUint32(at + 12, true) !== 0x11223344) continue;
    const isRing = view.getUint32(at + 4, true) === 0x55667799;
    code[at + 1] = code[at + 1] & 0x0f | (isRing ? Pseudo.mapFd : Pseudo.mapValue) << 4;
    view.setInt32(at + 4, isRing ? ring.fd : counters.fd, true);
    view.setInt32(at + 12, 0, true);
  }
  return code;
}

async function compileInC(diode: string, folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const source = new URL("./peers/diode.c", import.meta.url).pathname;
  const object = `${folder}/${diode}.o`;
  const { code, stderr } = await new Deno.Command("clang", {
    args: ["-O2", "-target", "bpf", `-DPREDICATE_${diode}`, "-c", source, "-o", object],
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return codeOf(await Deno.readFile(object));
}

/** @returns the fastest of several means, ns a frame: others share the machine. */
function fastest(program: BpfProgram, frame: Uint8Array): number {
  return Math.min(...Array.from({ length: 15 }, () => program.run(frame, 10_000).durationNs));
}

const folder = await Deno.makeTempDir();
using counters = BpfMap.create({ kind: "array", name: "c_counters", valueSize: 64, maxEntries: 1 });
using ring = BpfMap.create({
  kind: "ringbuf",
  name: "c_events",
  valueSize: 0,
  maxEntries: EVENTS_RING_BYTES,
});
console.log(
  "ns a frame, ours / C = ratio".padEnd(26) + SIZES.map((n) => `${n} B`.padStart(24)).join(""),
);
try {
  for (const name of shippedDiodes()) {
    const begin = performance.now();
    const judgement = judgePredicate(parseDiodeFile(shippedDiode(name), name).predicate);
    using ours = new LoadedDiode(judgement, LINK);
    const loadedMs = performance.now() - begin;
    let c: BpfProgram | null = null;
    let refused = "";
    try {
      const instructions = withMaps(await compileInC(name, folder), counters, ring);
      c = BpfProgram.load({ name: "in_c", instructions });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) {
        throw new Error("clang is missing: apt-get install clang");
      }
      refused = /too large|Too many|E2BIG/.test(messageOf(error))
        ? "the verifier finds it too large in C"
        : messageOf(error).split("\n")[0];
    }
    const limit = BY_PREFIX.includes(name) ? 1.3 : 1;
    const cells = SIZES.map((size) => {
      const frame = serialise(spec({ payload: payloadOf(name, size) }));
      const wanted = name === "closed" ? XDP.drop : XDP.pass;
      if (ours.program.run(frame).verdict !== wanted) throw new Error(`${name}: wrong verdict`);
      const mine = fastest(ours.program, frame);
      if (c === null) return `${mine}`.padStart(24);
      if (c.run(frame).verdict !== wanted) throw new Error(`${name} in C: wrong verdict`);
      const theirs = fastest(c, frame);
      const ratio = mine / theirs;
      return `${mine} / ${theirs} = ${ratio.toFixed(2)}${ratio > limit ? "!" : " "}`.padStart(24);
    });
    c?.[Symbol.dispose]();
    console.log(
      `${name.padEnd(12)} at most ${limit.toFixed(1)}`.padEnd(26) + cells.join("") +
        `   text to loaded ${loadedMs.toFixed(0)} ms ${refused}`,
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
