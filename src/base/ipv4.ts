/** IPv4 and MAC addresses as text and bytes. */

/** @returns four bytes in network order. @throws SyntaxError unless dotted decimal. */
export function parseIpv4(text: string): Uint8Array<ArrayBuffer> {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.some((p) => !/^(0|[1-9]\d{0,2})$/.test(p) || Number(p) > 255)) {
    throw new SyntaxError(`Cannot read IPv4 address ${JSON.stringify(text)}`);
  }
  return Uint8Array.from(parts, Number);
}

/** @returns dotted decimal of four bytes at `at`. */
export function formatIpv4(bytes: Uint8Array, at = 0): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** @returns six bytes. @throws SyntaxError unless `xx:xx:xx:xx:xx:xx`. */
export function parseMac(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw new SyntaxError(`Cannot read MAC address ${JSON.stringify(text)}`);
  }
  return Uint8Array.from(text.split(":"), (part) => parseInt(part, 16));
}

/** @returns `xx:xx:xx:xx:xx:xx` in lower case. */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join(":");
}
