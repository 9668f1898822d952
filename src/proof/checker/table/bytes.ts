/** Expressions over bytes, and which bytes they do not tell apart. */
import type { Characters } from "./characters.ts";
import { type Piece, piecesOf } from "./decoder.ts";
import { type Expression, Expressions } from "./expressions.ts";
import { BYTES, once } from "./once.ts";

export class Bytes extends Expressions {
  /** Bytes of one class are told apart by nothing that was made (S. Owens et al., 2009). */
  classOf: readonly number[] = BYTES.map(() => 0);

  /** Some bytes are told from others from now on. @param label the same for those that are not. */
  tell(label: (byte: number) => unknown): void {
    const known = new Map<string, number>();
    this.classOf = this.classOf.map((old, byte) =>
      once(known, `${old} ${label(byte)}`, () => known.size)
    );
  }

  /** One byte that the test holds of. */
  byte(test: (byte: number) => boolean): Expression {
    this.tell(test);
    return this.one(BYTES.filter(test).join(), test);
  }

  literal(bytes: Uint8Array): Expression[] {
    return [...bytes].map((one) => this.byte((byte) => byte === one));
  }

  /** @returns what is there of a character before its first byte. */
  decoder(characters: Characters): Piece {
    const pieces = piecesOf(characters);
    pieces.forEach(({ next }) => this.tell((byte) => next[byte]?.id));
    return pieces.at(-1)!;
  }
}
