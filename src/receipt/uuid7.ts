/** UUIDs of version 7 (RFC 9562 §5.7): they sort by time. */
import { hex } from "../base/bytes.ts";

/**
 * @param unixMs milliseconds since 1970, 48 bits.
 * @param random ten random bytes; 74 bits of them are used.
 */
export function uuid7(unixMs: number, random: Uint8Array): string {
  if (!Number.isInteger(unixMs) || unixMs < 0 || unixMs >= 2 ** 48) {
    throw new RangeError("A UUID's time has 48 bits");
  }
  if (random.length !== 10) throw new RangeError("A UUID takes ten random bytes");
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(unixMs / 2 ** 16));
  view.setUint16(4, unixMs % 2 ** 16);
  bytes.set(random, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** @returns whether `text` has the form that `uuid7` gives. */
export function isUuid7(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text);
}
