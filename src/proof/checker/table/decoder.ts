/** UTF-8, byte by byte. */
import type { Characters } from "./characters.ts";
import { BYTES, once } from "./once.ts";

/** Unicode 16, table 3-7: bytes that begin a character, how many follow, the range of the first. */
const LEADS = [
  { first: 0x00, last: 0x7f, more: 0, low: 0x80, high: 0xbf },
  { first: 0xc2, last: 0xdf, more: 1, low: 0x80, high: 0xbf },
  { first: 0xe0, last: 0xe0, more: 2, low: 0xa0, high: 0xbf },
  { first: 0xe1, last: 0xec, more: 2, low: 0x80, high: 0xbf },
  { first: 0xed, last: 0xed, more: 2, low: 0x80, high: 0x9f },
  { first: 0xee, last: 0xef, more: 2, low: 0x80, high: 0xbf },
  { first: 0xf0, last: 0xf0, more: 3, low: 0x90, high: 0xbf },
  { first: 0xf1, last: 0xf3, more: 3, low: 0x80, high: 0xbf },
  { first: 0xf4, last: 0xf4, more: 3, low: 0x80, high: 0x8f },
];

/** Bytes that a character begins with, or all of them. Those that lead on alike are one object. */
export interface Piece {
  readonly id: number;
  /** Of a whole character: the symbols that it is read as. */
  readonly whole: readonly number[] | null;
  /** By the next byte; undefined: there is no such character. */
  readonly next: readonly (Piece | undefined)[];
  /** All that are next. */
  readonly longer: readonly Piece[];
}

/** @returns all pieces of characters; the last one is before any byte. */
export function piecesOf(characters: Characters): readonly Piece[] {
  const [known, alike] = [new Map<string, Piece>(), new Map<string, Piece>()];
  const piece = (whole: Piece["whole"], after: (byte: number) => Piece | undefined) => {
    const next = BYTES.map(after);
    const longer = [...new Set(next)].filter((one) => one !== undefined);
    const key = `${whole}: ${next.map((one) => one?.id)}`;
    return once(known, key, () => ({ id: known.size, whole, next, longer }));
  };
  /** `bits` are known of it; `more` bytes follow, the next from `low` to `high`. */
  const begun = (bits: number, more: number, low = 0x80, high = 0xbf): Piece => {
    const at = (byte: number) => bits + (byte - 0x80) * 64 ** (more - 1);
    const symbols = characters.read(at(low), at(high + 1) - 1);
    const after = (byte: number) =>
      more > 0 && byte >= low && byte <= high ? begun(at(byte), more - 1) : undefined;
    const make = () => piece(more === 0 ? symbols : null, after);
    return symbols ? once(alike, `${more} ${low} ${high} ${symbols}`, make) : make();
  };
  piece(null, (byte) => {
    const lead = LEADS.find(({ first, last }) => byte >= first && byte <= last);
    const bits = lead?.more ? (byte & 0x3f >> lead.more) * 64 ** lead.more : byte;
    return lead && begun(bits, lead.more, lead.low, lead.high);
  });
  return [...known.values()];
}
