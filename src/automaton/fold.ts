/**
 * Which characters flag `i` holds equal: ECMA-262, 22.2.2.7.3 Canonicalize. Without flag `u` by
 * `toUpperCase` of one code unit, with it by Unicode's simple case folding, which JavaScript does
 * not offer; it is worked out here from what it does offer, and a test holds it against RegExp.
 */
import { type CodeSet, codeSet } from "./code_points.ts";

/**
 * Case pairs that cannot be seen from `toUpperCase` and `toLowerCase`: their upper case is two or
 * more characters long, yet CaseFolding.txt folds one to the other (status S).
 */
const FOLDED_TOGETHER: [number, number][] = [[0x1fd3, 0x390], [0x1fe3, 0x3b0], [0xfb05, 0xfb06]];

/** Has the upper case I, but CaseFolding.txt does not fold it (but in Turkish). */
const DOTLESS_I = 0x131;

/** No character beyond has case, in any version of Unicode that is foreseen. */
const CASED_BELOW = 0x20000;

const ASCII = 0x7f;

/** @returns the set and every character that flag `i` holds equal to one in it. */
export function closeUnderCase(set: CodeSet, unicode: boolean): CodeSet {
  const most = unicode ? 0x10ffff : 0xffff;
  const added: (readonly [number, number])[] = [];
  // The table of all of Unicode takes a few milliseconds, and ASCII is all that most need.
  const beyond = set.filter(([, last]) => last > ASCII);
  const allBeyond = beyond.length === 1 && beyond[0][0] <= ASCII + 1 && beyond[0][1] === most;
  if (beyond.length > 0 && !allBeyond) {
    const table = unicode ? foldings.unicode() : foldings.plain();
    for (const [first, last] of set) {
      for (let point = first; point <= Math.min(last, CASED_BELOW); point++) {
        for (const other of table.get(point) ?? []) added.push([other, other]);
      }
    }
  } else {
    for (const [first, last] of set) {
      for (let point = first; point <= Math.min(last, ASCII); point++) {
        for (const other of asciiEquals(point, unicode)) added.push([other, other]);
      }
    }
    // The only characters beyond ASCII that equal one of ASCII: long s and the Kelvin sign.
    if (allBeyond && unicode) {
      added.push([0x53, 0x53], [0x73, 0x73], [0x4b, 0x4b], [0x6b, 0x6b]);
    }
  }
  return codeSet([...set, ...added]);
}

function asciiEquals(point: number, unicode: boolean): number[] {
  const letter = point | 0x20;
  if (letter < 0x61 || letter > 0x7a) return [];
  const extra = unicode && letter === 0x73 ? [0x17f] : unicode && letter === 0x6b ? [0x212a] : [];
  return [point ^ 0x20, ...extra];
}

type Foldings = ReadonlyMap<number, readonly number[]>;

/** The two tables, each made when it is first asked for: constants that are costly to write out. */
const foldings = {
  plain: once(() => groups(0xffff, upperOfUnit)),
  unicode: once(() => groups(CASED_BELOW, simpleFold, FOLDED_TOGETHER)),
};

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}

/** @returns for each character that equals others, all of its equals. */
function groups(
  most: number,
  canonical: (point: number) => number,
  together: [number, number][] = [],
): Foldings {
  const equal = new Map<number, number[]>();
  const chunk = 256;
  for (let first = 0; first <= most; first += chunk) {
    const points = Array.from({ length: chunk }, (_, i) => first + i);
    const text = String.fromCodePoint(...points);
    // Most of Unicode has no case at all.
    if (text.toUpperCase() === text && text.toLowerCase() === text) continue;
    for (const point of points) {
      const to = canonical(point);
      if (to === point) continue;
      if (!equal.has(to)) equal.set(to, [to]);
      equal.get(to)!.push(point);
    }
  }
  for (const pair of together) equal.set(pair[0], [...pair]);
  const table = new Map<number, number[]>();
  for (const members of equal.values()) for (const one of members) table.set(one, members);
  return table;
}

function upperOfUnit(unit: number): number {
  const upper = String.fromCharCode(unit).toUpperCase();
  if (upper.length !== 1) return unit;
  const to = upper.charCodeAt(0);
  return unit > ASCII && to <= ASCII ? unit : to;
}

function simpleFold(point: number): number {
  if (point === DOTLESS_I) return point;
  const upper = single(String.fromCodePoint(point).toUpperCase()) ?? point;
  return single(String.fromCodePoint(upper).toLowerCase()) ?? upper;
}

/** @returns the code point of a text that is just one. */
function single(text: string): number | undefined {
  const point = text.codePointAt(0)!;
  return text.length === String.fromCodePoint(point).length ? point : undefined;
}
