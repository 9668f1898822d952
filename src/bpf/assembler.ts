/** Instructions and labels → the raw bytes that bpf(2) loads. */
import type { Instruction } from "./isa.ts";

/** A place to jump to. */
export interface Label {
  readonly label: string;
}

/** What a program is made of. */
export type Line = Instruction | Label;

export const label = (name: string): Label => ({ label: name });

/** Bytes of one instruction slot. */
export const SLOT = 8;

/**
 * @returns the slot at which each label stands, and how many slots there are.
 * @throws RangeError for a label that is defined twice.
 */
export function placesOf(
  lines: readonly Line[],
): { places: ReadonlyMap<string, number>; slots: number } {
  const places = new Map<string, number>();
  let slots = 0;
  for (const line of lines) {
    if ("label" in line) {
      if (places.has(line.label)) throw new RangeError(`Label ${line.label} is defined twice`);
      places.set(line.label, slots);
    } else slots += line.wide === undefined ? 1 : 2;
  }
  return { places, slots };
}

/**
 * @returns eight bytes for each slot, little-endian (RFC 9669, section 3).
 * @throws RangeError for a label that is missing or defined twice, or a field out of range.
 */
export function assemble(lines: readonly Line[]): Uint8Array<ArrayBuffer> {
  const { places, slots } = placesOf(lines);
  const bytes = new Uint8Array(slots * SLOT);
  const view = new DataView(bytes.buffer);
  let slot = 0;
  for (const line of lines) {
    if ("label" in line) continue;
    let { offset } = line;
    if (line.target !== undefined) {
      const place = places.get(line.target);
      if (place === undefined) throw new RangeError(`Label ${line.target} is not defined`);
      offset = place - slot - 1; // relative to the next instruction
    }
    if (offset < -0x8000 || offset > 0x7fff) throw new RangeError(`Offset ${offset} is too far`);
    bytes[slot * SLOT] = line.opcode;
    bytes[slot * SLOT + 1] = line.source << 4 | line.destination;
    view.setInt16(slot * SLOT + 2, offset, true);
    view.setInt32(slot * SLOT + 4, line.immediate, true);
    slot++;
    if (line.wide === undefined) continue;
    view.setInt32(slot * SLOT + 4, line.wide, true);
    slot++;
  }
  return bytes;
}
