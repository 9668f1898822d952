/** Base64 (RFC 4648 §4), strictly: one text for each byte string. */

/** @returns the padded text. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    // Spread out as `...`, each byte would be stepped through: thirty times slower.
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + 0x8000) as unknown as number[]);
  }
  return btoa(text);
}

/** @throws SyntaxError unless `text` is exactly what `base64` gives for some bytes. */
export function unbase64(text: string): Uint8Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new SyntaxError("Cannot read base64");
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  // atob forgives white space, missing padding and stray bits; a signed form has one encoding.
  if (base64(bytes) !== text) throw new SyntaxError("Cannot read base64: not in its one form");
  return bytes;
}
