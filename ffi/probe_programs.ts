/** Two programs for the probes, as numbers (RFC 9669): `ffi` stands below the assembler. */

type Slot = [opcode: number, destination: number, source: number, offset: number, value: number];

function assemble(slots: Slot[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 * slots.length);
  const view = new DataView(bytes.buffer);
  slots.forEach(([opcode, destination, source, offset, value], i) => {
    view.setUint8(8 * i, opcode);
    view.setUint8(8 * i + 1, source << 4 | destination);
    view.setInt16(8 * i + 2, offset, true);
    view.setInt32(8 * i + 4, value, true);
  });
  return bytes;
}

const MOV_K = 0xb7, MOV_X = 0xbf, ADD_K = 0x07, STORE_8 = 0x7a, LOAD_WIDE = 0x18, CALL = 0x85;
const EXIT: Slot = [0x95, 0, 0, 0, 0];
const PSEUDO_MAP_FD = 1;
const RINGBUF_OUTPUT = 130;
const XDP_DROP = 1;

/** Drops every frame. */
export const CONSTANT_DROP = assemble([[MOV_K, 0, 0, 0, XDP_DROP], EXIT]);

/** @returns a program that sends eight bytes to the ring buffer and drops the frame. */
export function sendRecord(ringFd: number): Uint8Array<ArrayBuffer> {
  return assemble([
    [STORE_8, 10, 0, -8, 1],
    [LOAD_WIDE, 1, PSEUDO_MAP_FD, 0, ringFd],
    [0, 0, 0, 0, 0],
    [MOV_X, 2, 10, 0, 0],
    [ADD_K, 2, 0, 0, -8],
    [MOV_K, 3, 0, 0, 8],
    [MOV_K, 4, 0, 0, 0],
    [CALL, 0, 0, 0, RINGBUF_OUTPUT],
    [MOV_K, 0, 0, 0, XDP_DROP],
    EXIT,
  ]);
}
