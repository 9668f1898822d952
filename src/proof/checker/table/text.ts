/** `matches`: a pattern, looked for in the text that a payload's bytes decode to. */
import type { Bytes } from "./bytes.ts";
import type { Piece } from "./decoder.ts";
import { EDGE, EVERYWHERE, type Expression, NOWHERE } from "./expressions.ts";
import type { Pattern } from "./pattern.ts";

/** What a byte that cannot be part of a character is read as, and a character that is broken off. */
const REPLACEMENT = 0xfffd;

/** What may still come after characters, as their symbols are read. */
type Reading = (symbols: readonly number[]) => Expression;

/** @param name tells it from other patterns. @returns the payloads in which the pattern matches. */
export function textsWith(pattern: Pattern, bytes: Bytes, name: string): Expression {
  const start = bytes.decoder(pattern.characters);
  const replacement = pattern.characters.read(REPLACEMENT)!;

  const betweenCharacters = (wanted: Expression, before: number): Expression => {
    if (wanted === pattern.all) return bytes.all;
    if (wanted === pattern.never) return bytes.never;
    const read: Reading = (symbols) => {
      let [next, side] = [wanted, before];
      for (const symbol of symbols) {
        next = next.derive(symbol, side);
        side = pattern.sideOf(symbol);
      }
      return betweenCharacters(next, side);
    };
    const nullable = wanted.ends(before, EDGE) ? EVERYWHERE : NOWHERE;
    return bytes.make(`${name} ${before} ${wanted.id}`, nullable, (byte) => {
      const piece = start.next[byte];
      return piece ? behind(piece, read) : read(replacement);
    });
  };

  const behind = (piece: Piece, read: Reading): Expression => {
    if (piece.whole) return read(piece.whole);
    const broken = read(replacement);
    const outcomes = piece.longer.map((longer) => behind(longer, read).id);
    const key = `${name} behind ${piece.id} ${broken.id} ${outcomes}`;
    return bytes.make(key, broken.nullable, (byte) => {
      const longer = piece.next[byte];
      return longer ? behind(longer, read) : broken.derive(byte);
    });
  };

  return betweenCharacters(pattern.anywhere, EDGE);
}
