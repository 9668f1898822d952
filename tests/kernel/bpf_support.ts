/** Small programs, and a place to attach them, for the tests of BPF objects. */
import type { BpfMap } from "../../ffi/bpf_map.ts";
import { BpfProgram } from "../../ffi/bpf_program.ts";
import { BPFFS, ensureBpffs } from "../../ffi/bpffs.ts";
import { linkState } from "../../ffi/rtnetlink.ts";
import { createNetns, removeNetns, withNetns } from "../../ffi/netns.ts";
import { Tap } from "../../ffi/tap.ts";
import type { LinkRules } from "../../src/bpf/layout.ts";
import { assemble, type Line } from "../../src/bpf/assembler.ts";
import { add, call, exit, Helper, load, mapReference, mapValue, mov } from "../../src/bpf/isa.ts";
import { store } from "../../src/bpf/isa.ts";
import { randomName } from "./net_support.ts";

/** Loads the lines. */
export function loadLines(lines: Line[], name = "t_small"): BpfProgram {
  return BpfProgram.load({ name, instructions: assemble(lines) });
}

/** @returns a program that gives every frame the same verdict. */
export const constantProgram = (verdict: number) => loadLines([mov("r0", verdict), exit()]);

/** @returns a program whose verdict is byte 0 of the map's value. */
export const tableProgram = (table: BpfMap) =>
  loadLines([mapValue("r1", table.fd), load(1, "r0", "r1", 0), exit()]);

/** @returns a program that sends `bytes` (a multiple of 8) of stack, counting from 1, and drops. */
export function recordProgram(ring: BpfMap, bytes: number): BpfProgram {
  const words = [...Array(bytes / 8).keys()];
  return loadLines([
    ...words.flatMap((i) => [mov("r1", i + 1), store(8, "r10", 8 * i - bytes, "r1")]),
    mapReference("r1", ring.fd),
    mov("r2", "r10"),
    add("r2", -bytes),
    mov("r3", bytes),
    mov("r4", 0),
    call(Helper.ringbufOutput),
    mov("r0", 1),
    exit(),
  ]);
}

/** A namespace with a tap, and a folder for pins; all gone when disposed of. */
export class Bench implements Disposable {
  readonly name = randomName();
  readonly netns = `/run/netns/${this.name}`;
  readonly pins = `${BPFFS}/${this.name}`;
  readonly pin = `${this.pins}/link`;
  readonly tap: Tap;
  readonly ifindex: number;

  constructor() {
    ensureBpffs();
    createNetns(this.netns);
    try {
      this.tap = this.inside(() => Tap.open(this.name, { persist: true }));
      this.ifindex = this.inside(() => linkState(this.name)!.index);
    } catch (error) {
      removeNetns(this.netns);
      throw error;
    }
  }

  /** Runs synchronous work in the namespace. */
  inside<T>(work: () => T): T {
    return withNetns(this.netns, work);
  }

  /** The id of the program that rtnetlink shows on the tap. */
  get programOnTap(): number | null {
    return this.inside(() => linkState(this.name))!.xdpProgramId;
  }

  [Symbol.dispose](): void {
    this.tap[Symbol.dispose]();
    try {
      Deno.removeSync(this.pins, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    removeNetns(this.netns);
  }
}

/** The link of the architecture, as every instance has it. */
export const RULES: LinkRules = {
  hostMac: "02:00:00:00:00:01",
  guestMac: "52:54:00:12:34:56",
  hostIp: "172.30.0.1",
  guestIp: "172.30.0.11",
  guestPort: 8080,
  maxFrame: 1514,
};
