/** Texts that were found, as people and scripts are told them. */
import { hex } from "../base/bytes.ts";
import { jsonText } from "./terminal.ts";

/** Longer ones are cut where people read them. */
const MOST_SHOWN = 200;

/** @returns a text in quotes, in one line; bytes that are no UTF-8 as `\xNN`. */
export function shownText(bytes: Uint8Array): string {
  const text = utf8Of(bytes);
  if (text === null) {
    const all = [...bytes.subarray(0, MOST_SHOWN)].map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${hex(Uint8Array.of(byte))}`
    ).join("");
    return `"${all}"${cut(bytes.length > MOST_SHOWN, bytes)}`;
  }
  const characters = [...text];
  const shown = characters.slice(0, MOST_SHOWN).join("");
  return jsonText(shown) + cut(characters.length > MOST_SHOWN, bytes);
}

/** @returns `text`, or `hex` where it is no UTF-8. */
export function textFields(bytes: Uint8Array): { text: string } | { hex: string } {
  const text = utf8Of(bytes);
  return text === null ? { hex: hex(bytes) } : { text };
}

function cut(isCut: boolean, { length }: Uint8Array): string {
  return isCut ? ` … (${length} bytes)` : "";
}

function utf8Of(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
