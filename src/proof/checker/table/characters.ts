/**
 * What a regular expression sees of characters. Which ones a part of it matches is asked of
 * JavaScript's own RegExp, by which the language is defined: case folding and Unicode's tables are
 * those of the JavaScript at hand, and trusted.
 */
import { BYTES, once } from "./once.ts";

const alphabets = new Map<boolean, string>();
const found = new Map<string, readonly number[]>();

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
  return once(found, `/${part}/${flags}`, () => {
    const runs = [...text.matchAll(new RegExp(`(?:${part})+`, `${flags}g`))];
    return runs.flatMap(({ 0: run, index }) => [index, index + run.length])
      .filter((i) => i < text.length)
      .map((i) => unicode ? text.codePointAt(i)! : text.charCodeAt(i));
  });
}

/** Characters that no part tells apart are one symbol; without flag u a symbol is of code units. */
export class Characters {
  /** From each cut on, up to the next one, all are of one symbol. */
  private readonly cuts: readonly number[];
  private readonly symbols: readonly number[];
  /** By symbol: the parts that match its characters. */
  private readonly matching: Set<string>[] = [];

  /** @param parts RegExps for one character each; `flags` some of i, s and u. */
  constructor(parts: readonly string[], private readonly flags: string) {
    const tests = parts.map((part) => new RegExp(`^(?:${part})$`, flags));
    const cuts = new Set([0, ...parts.flatMap((part) => cutsOf(part, flags))]);
    this.cuts = [...cuts].sort((a, b) => a - b);
    const known = new Map<string, number>();
    this.symbols = this.cuts.map((cut) => {
      const matching = parts.filter((_, i) => tests[i].test(String.fromCodePoint(cut)));
      return once(known, JSON.stringify(matching), () => this.matching.push(new Set(matching)) - 1);
    });
  }

  /** Whether the part, if it is one, matches a symbol's characters. */
  has(symbol: number, part: string): boolean {
    return this.matching[symbol].has(part);
  }

  /** @returns the symbols that each of some characters is read as; null: not each as the same. */
  read(first: number, last = first): readonly number[] | null {
    // Those of two units share the first of them, or take all values of the second one.
    const [runs, others] = [this.runs(first), this.runs(last)];
    return runs.join() === others.join() ? runs.map((run) => this.symbols[run]) : null;
  }

  /** @returns of each unit that a character is read as, which cut is the last one up to it. */
  private runs(point: number): number[] {
    const text = String.fromCodePoint(point);
    const units = this.flags.includes("u") ? [point] : text.split("").map((u) => u.charCodeAt(0));
    return units.map((unit) => {
      let [low, high] = [0, this.cuts.length];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (this.cuts[middle] <= unit) low = middle;
        else high = middle;
      }
      return low;
    });
  }
}
