/**
 * The diode: one XDP program for every predicate and every address. What differs between diodes is
 * in its maps (`layout.ts`); the bytes here never change but for the maps' descriptors.
 *
 * In order: the link rules, each with a reason of its own; the walk of the payload over the table;
 * the verdict. Straight-line code but for one loop. Nothing is written but counters, events and the
 * stack, and helpers are called only when the verdict is already *drop*, so the way of a packet
 * that passes is loads, adds and compares.
 *
 * Registers, from the first instruction to the verdict:
 *
 *     r0 reason that the next failed check gives; in the walk: the state, premultiplied
 *     r1 scratch; TCP flags
 *     r2 scratch; then the payload's next byte
 *     r3 scratch
 *     r4 in the walk: bytes that may yet be walked; then the offset
 *     r5 in the walk: the kinds of bytes under which the state is restless
 *     r6 the frame          r8 its end
 *     r7 config; in the walk: the table
 *     r9 in the walk: the byte classes
 */
import { assemble, type Line, placesOf } from "./assembler.ts";
import { frameRules, ipRules, payloadStart, tcpRules } from "./program_link.ts";
import type { DiodeMaps } from "./program_parts.ts";
import { dropVerdict, passVerdict } from "./program_verdict.ts";
import { walk } from "./program_walk.ts";

export type { DiodeMaps } from "./program_parts.ts";
export { XDP_DROP, XDP_PASS } from "./program_verdict.ts";

/**
 * @param fds descriptors of the four maps. With zeros, the bytes whose digest names the program.
 * @returns raw instructions, ready for `BPF_PROG_LOAD` (type XDP, licence any).
 */
export function diodeProgram(fds: DiodeMaps<number>): Uint8Array<ArrayBuffer> {
  return assemble(lines(fds));
}

/** @returns the slot of the program at which each of its labels stands. */
export function programLabels(): ReadonlyMap<string, number> {
  return placesOf(lines({ table: 0, config: 0, counters: 0, events: 0 })).places;
}

function lines(fds: DiodeMaps<number>): Line[] {
  return [
    ...frameRules(fds),
    ...ipRules(),
    ...tcpRules(),
    ...payloadStart(),
    ...walk(fds),
    ...passVerdict(fds),
    ...dropVerdict(fds),
  ];
}
