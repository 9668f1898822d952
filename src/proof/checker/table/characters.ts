/**
 * What a regular expression sees of characters. Which ones a part of it matches is asked of
 * JavaScript's own RegExp, by which the language is defined: case folding and Unicode's tables are
 * those of the JavaScript at hand, and trusted.
 */
import { BYTES, once } from "./once.ts";

/** Unicode 16, table 3-7: bytes that begin a character, how many follow, the range of the first. */
export const LEADS = [
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

const found = new Map<string, readonly number[]>();
const alphabets = new Map<boolean, string>();

/** @returns all characters; with flag u but lone surrogates, which no bytes decode to. */
function alphabet(unicode: boolean): string {
  const blocks = [...Array(unicode ? 0x1100 : 0x100).keys()].map((block) => block << 8);
  return blocks.filter((first) => !unicode || first >> 11 !== 0x1b)
    .map((first) => String.fromCodePoint(...BYTES.map((byte) => first + byte))).join("");
}

/** @returns where, from 0 on, characters begin or cease to be matched by a RegExp for one. */
function cutsOf(part: string, flags: string): readonly number[] {
  const unicode = flags.includes("u");
  const text = once(alphabets, unicode, () => alphabet(unicode));
  const at = (i: number) => unicode ? text.codePointAt(i)! : text.charCodeAt(i);
  return once(
    found,
    `/${part}/${flags}`,
    () =>
      [...text.matchAll(new RegExp(`(?:${part})+`, `${flags}g`))].flatMap(({ 0: run, index }) =>
        [index, index + run.length].filter((i) => i < text.length).map(at)
      ),
  );
}

/** Characters that no part tells apart are one symbol; without flag u a symbol is of code units. */
export class Characters {
  private readonly inside: boolean[][] = [];
  /** From each cut on, up to the next one, all are of one symbol. */
  private readonly cuts: readonly number[];
  private readonly symbols: readonly number[];
  /** From each start on, up to the next one, all code points are read as the same symbols. */
  private readonly starts: number[] = [];
  private readonly reads: (readonly number[])[] = [];

  /** @param parts RegExps for one character each; `flags` some of i, s and u. */
  constructor(parts: readonly string[], flags: string) {
    const sets = parts.map((part) => new Set(cutsOf(part, flags)));
    this.cuts = [...new Set([0, ...sets.flatMap((set) => [...set])])].sort((a, b) => a - b);
    const known = new Map<string, number>();
    const inside = sets.map(() => false);
    this.symbols = this.cuts.map((cut) => {
      sets.forEach((set, i) => inside[i] = inside[i] !== set.has(cut));
      return once(known, inside.join(), () => this.inside.push([...inside]) - 1);
    });
    const units = !flags.includes("u");
    this.cuts.forEach((cut, i) => units && cut > 0xffff || this.begin(cut, [this.symbols[i]]));
    // Beyond, without flag u, a character is two units: each high one with each kind of low ones.
    const lows = [0xdc00, ...this.cuts.filter((cut) => cut > 0xdc00 && cut < 0xe000)];
    for (let high = 0xd800; units && high < 0xdc00; high++) {
      for (const low of lows) {
        const pair = [high, low].map((unit) => this.symbols[lastUpTo(this.cuts, unit)]);
        this.begin(0x10000 + (high - 0xd800) * 0x400 + low - 0xdc00, pair);
      }
    }
  }

  private begin(point: number, symbols: readonly number[]): void {
    if (this.reads.at(-1)?.join() === symbols.join()) return;
    this.starts.push(point);
    this.reads.push(symbols);
  }

  /** Whether a symbol's characters are matched by the `part`th RegExp. */
  has(symbol: number, part: number): boolean {
    return this.inside[symbol][part];
  }

  /** @returns the symbols of each kind of characters among the code points. */
  between(first: number, last: number): readonly (readonly number[])[] {
    return this.reads.slice(lastUpTo(this.starts, first), lastUpTo(this.starts, last) + 1);
  }
}

/** @returns the index of the last of ascending numbers that is at most `wanted`. */
function lastUpTo(ascending: readonly number[], wanted: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ascending[middle] <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}
