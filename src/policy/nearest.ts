/** Did you mean …? */

/** @returns the word that differs least from `text`, if one is near enough to be meant. */
export function nearest(text: string, words: readonly string[]): string | undefined {
  const simple = (word: string) =>
    word.toLowerCase().replaceAll(/[_-]/g, "").replace(/s(?=with|$)/, "");
  const same = words.find((word) => simple(word) === simple(text));
  if (same !== undefined) return same;
  // A third of the letters may be wrong.
  let best: string | undefined;
  let least = Infinity;
  for (const word of words) {
    const edits = distance(word, text.toLowerCase());
    if (edits < least && 3 * edits <= word.length) [best, least] = [word, edits];
  }
  return best;
}

/** @returns the hint that names the near word, or else `otherwise`. */
export function didYouMean(text: string, words: readonly string[], otherwise: string): string {
  const near = nearest(text, words);
  return near === undefined ? otherwise : `did you mean ${near}?`;
}

/**
 * @returns the edit distance of two words, two letters swapped being one edit (optimal string
 * alignment); of long ones, their lengths' only.
 */
function distance(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return Math.max(a.length, b.length);
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
        ? rows[i - 2][j - 2] + 1
        : Infinity;
      row.push(Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, changed, swapped));
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
