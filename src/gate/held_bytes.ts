/** The bytes that are held back, as they came in: nothing is copied until it is released. */

export class HeldBytes {
  private readonly pieces: Uint8Array[] = [];
  /** Index of the first piece that is not yet wholly released. */
  private first = 0;
  length = 0;

  /** @param bytes copied, since the caller may use its memory again. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.pieces.push(bytes.slice());
    this.length += bytes.length;
  }

  /** @returns the first `count` bytes, which are no longer held; memory of their own. */
  take(count: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const piece = this.pieces[this.first];
      const part = piece.subarray(0, count - filled);
      out.set(part, filled);
      filled += part.length;
      if (part.length === piece.length) this.first++;
      else this.pieces[this.first] = piece.subarray(part.length);
    }
    this.length -= count;
    // Forget what was released, now and then, so that each byte is moved a bounded number of times.
    if (this.first > 32 && this.first * 2 > this.pieces.length) {
      this.pieces.splice(0, this.first);
      this.first = 0;
    }
    return out;
  }

  clear(): void {
    this.pieces.length = this.first = this.length = 0;
  }
}
