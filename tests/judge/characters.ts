/**
 * What regular expressions see of bytes, and which characters they take for the same: written from
 * RFC 3629, Unicode's chapter 3.9 and ECMA-262 (22.2.2.7.3, Canonicalize), without V8's tables of
 * its own regular expressions.
 */

const REPLACEMENT = 0xfffd;

/**
 * @returns the code points of the bytes. Where they are no UTF-8, each longest piece that could
 * have begun a character, or each single byte that could not, is one U+FFFD.
 */
export function codePoints(bytes: Uint8Array): number[] {
  const points: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at++];
    const rest = lead < 0x80 ? 0 : lead < 0xc0 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (rest < 0 || lead > 0xf7) {
      points.push(REPLACEMENT);
      continue;
    }
    const least = [0, 0x80, 0x800, 0x10000][rest];
    let point = rest === 0 ? lead : lead & (0x3f >> rest);
    let missing = rest;
    let possible = canBecome(point, missing, least);
    while (possible && missing > 0 && bytes[at] >> 6 === 2) {
      const longer = point << 6 | bytes[at] & 0x3f;
      if (!canBecome(longer, missing - 1, least)) break;
      [point, missing] = [longer, missing - 1];
      at++;
    }
    possible &&= missing === 0;
    points.push(possible ? point : REPLACEMENT);
  }
  return points;
}

/** Whether some character's number begins with these bits, with six more from each missing byte. */
function canBecome(bits: number, missing: number, least: number): boolean {
  const first = bits << 6 * missing;
  const last = first | (1 << 6 * missing) - 1;
  if (last < least || first > 0x10ffff) return false;
  return !(first >= 0xd800 && last <= 0xdfff);
}

/** @returns the UTF-16 code units of the code points. */
export function codeUnits(points: readonly number[]): number[] {
  return points.flatMap((point) =>
    point < 0x10000 ? [point] : [0xd7c0 + (point >> 10), 0xdc00 + (point & 0x3ff)]
  );
}

/** @returns a text that two characters have in common when case is ignored, and no others. */
function canonical(character: number, unicode: boolean): string {
  const text = String.fromCodePoint(character);
  if (unicode) {
    // Simple folding: as the capitals of the small letters, but a dotless i is nobody's.
    return character === 0x131 ? text : text.toLowerCase().toUpperCase();
  }
  const capital = text.toUpperCase();
  if (capital.length !== 1) return text;
  return character >= 0x80 && capital.charCodeAt(0) < 0x80 ? text : capital;
}

const variants: (Map<number, readonly number[]> | undefined)[] = [];

/** @returns the characters that are this one when case is ignored, itself among them. */
export function sameLetters(character: number, unicode: boolean): readonly number[] {
  const table = variants[Number(unicode)] ??= tableOf(unicode);
  return table.get(character) ?? [character];
}

function tableOf(unicode: boolean): Map<number, readonly number[]> {
  const groups = new Map<string, number[]>();
  // No letter with two cases is beyond U+1FFFF.
  for (let character = 0; character < (unicode ? 0x20000 : 0x10000); character++) {
    const key = canonical(character, unicode);
    const group = groups.get(key);
    if (group) group.push(character);
    else groups.set(key, [character]);
  }
  const table = new Map<number, readonly number[]>();
  for (const group of groups.values()) {
    if (group.length > 1) { for (const character of group) table.set(character, group); }
  }
  return table;
}
