/** What goes wrong with files: pieces of them are lost, doubled, swapped and overwritten. */
import type { Random } from "../judge/random.ts";

/**
 * @param scraps what may turn up anywhere.
 * @param another makes a file whose end may take the place of this one's.
 * @returns the text with one thing wrong in it.
 */
export function damage(
  random: Random,
  text: string,
  scraps: readonly string[],
  another: (random: Random) => string,
): string {
  const at = random.below(text.length + 1);
  const length = random.once(3) ? random.below(40) : random.below(4);
  const [before, cut, after] = [
    text.slice(0, at),
    text.slice(at, at + length),
    text.slice(at + length),
  ];
  switch (random.below(10)) {
    case 0:
      return before + after;
    case 1:
      return before + cut + cut + after;
    case 2:
      return before;
    case 3:
      return before + String.fromCharCode(random.below(random.once(4) ? 0x10000 : 0x80)) +
        text.slice(at + 1);
    case 4: {
      const other = another(random);
      return before + other.slice(random.below(other.length));
    }
    case 5: {
      const piece = random.once(2) ? random.pick(scraps) : cut;
      return before + piece.repeat(random.pick([2, 50, 300])) + after;
    }
    case 6:
      return text.replace(/[0-9]+/, random.pick(["0", "1", "65535", "65536", "4294967296"]));
    default:
      return before + random.pick(scraps) + (random.once(2) ? cut : "") + after;
  }
}
