/** Small pure helpers on byte strings. */

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** @returns lower-case hex, two digits a byte. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/**
 * @param text an even number of hex digits.
 * @throws SyntaxError when `text` is anything else.
 */
export function unhex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) {
    throw new SyntaxError(`Cannot read hex: ${JSON.stringify(text.slice(0, 40))}`);
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** @returns the parts, one after the other. */
export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** @returns whether both have the same length and content (not constant time). */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** @returns SHA-256 (FIPS 180-4) as lower-case hex. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource)));
}

const UNITS: Record<string, number> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/**
 * @param text a number and a unit: `256 MiB`, `64 KiB`, `10 B`.
 * @returns the number of bytes.
 * @throws SyntaxError when it is not of that form.
 */
export function parseSize(text: string): number {
  const match = /^(\d{1,9}) ?(B|KiB|MiB|GiB)$/.exec(text.trim());
  if (!match) throw new SyntaxError(`Cannot read size ${JSON.stringify(text)}: write e.g. "1 MiB"`);
  return Number(match[1]) * UNITS[match[2]];
}

/**
 * @param text a number and a unit: `60 s`, `250 ms`, `5 min`.
 * @returns milliseconds.
 * @throws SyntaxError when it is not of that form.
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9}) ?(ms|s|min|h)$/.exec(text.trim());
  if (!match) throw new SyntaxError(`Cannot read time ${JSON.stringify(text)}: write e.g. "60 s"`);
  return Number(match[1]) * { ms: 1, s: 1000, min: 60_000, h: 3_600_000 }[match[2]]!;
}
