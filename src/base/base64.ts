/** Base64 (RFC 4648 §4), strictly: one text for each byte string. */

/** @returns the padded text. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

/** @throws SyntaxError unless `text` is exactly what `base64` gives for some bytes. */
export function unbase64(text: string): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new SyntaxError("Cannot read base64");
  }
  // atob forgives white space, missing padding and stray bits; a signed form has one encoding.
  if (base64(bytes) !== text) throw new SyntaxError("Cannot read base64: not in its one form");
  return bytes;
}
