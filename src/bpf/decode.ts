/** Raw bytes → instructions (RFC 9669, section 3): for those who read a program or follow it. */
import { SLOT } from "./assembler.ts";
import { type Instruction, Opcode } from "./isa.ts";

/** An instruction and where it stands. */
export interface Placed extends Instruction {
  /** Index of its first slot of eight bytes; jumps count in slots. */
  readonly slot: number;
}

/**
 * @returns the instructions in order; a wide one carries the second slot's immediate in `wide`.
 * @throws RangeError when the bytes are no whole instructions.
 */
export function decode(bytes: Uint8Array): Placed[] {
  if (bytes.length % SLOT !== 0) throw new RangeError(`${bytes.length} bytes are no instructions`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const placed: Placed[] = [];
  for (let slot = 0; slot * SLOT < bytes.length; slot++) {
    const at = slot * SLOT;
    const one = {
      slot,
      opcode: bytes[at],
      destination: bytes[at + 1] & 0x0f,
      source: bytes[at + 1] >> 4,
      offset: view.getInt16(at + 2, true),
      immediate: view.getInt32(at + 4, true),
    };
    if (one.opcode !== Opcode.wideMov) {
      placed.push(one);
      continue;
    }
    slot++;
    if (at + 2 * SLOT > bytes.length) throw new RangeError("The last instruction is half there");
    placed.push({ ...one, wide: view.getInt32(at + SLOT + 4, true) });
  }
  return placed;
}
