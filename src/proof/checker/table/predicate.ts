/** The predicate language by derivatives: `diodes/README.md`, sentence by sentence. */
import type { Predicate } from "../../../policy/predicate.ts";
import type { Regex } from "../../../policy/regex.ts";
import { Bytes } from "./bytes.ts";
import { Characters } from "./characters.ts";
import type { Piece } from "./decoder.ts";
import { EVERYWHERE, type Expression, NOWHERE } from "./expressions.ts";
import { once } from "./once.ts";
import { Pattern } from "./pattern.ts";
import { textsWith } from "./text.ts";

/** The trusted parser of regular expressions: `src/policy/regex.ts`. */
export type ReadRegex = (source: string, flags: string) => Regex;

/** @returns what `and` connects, however it is grouped. */
export function conjuncts(predicate: Predicate): Predicate[] {
  if (predicate.kind !== "and") return [predicate];
  return [predicate.left, predicate.right].flatMap(conjuncts);
}

export type Limit = Extract<Predicate, { kind: "size" | "json-depth" }>;

/** @returns the least and the most number that a comparison allows. */
export function interval({ comparison, bound }: Limit): [least: number, most: number] {
  const least = comparison === ">" ? bound + 1 : comparison.includes("<") ? 0 : bound;
  const most = comparison === "<" ? bound - 1 : comparison.includes(">") ? Infinity : bound;
  return [least, most];
}

export class PredicateReader extends Bytes {
  private readonly texts = new Map<string, Expression>();

  constructor(private readonly readRegex: ReadRegex) {
    super();
  }

  /** @returns the payloads that the predicate accepts. */
  read(predicate: Predicate): Expression {
    switch (predicate.kind) {
      case "anything":
        return this.all;
      case "nothing":
        return this.never;
      case "not":
        return this.not(this.read(predicate.operand));
      case "and":
        return this.every(conjuncts(predicate));
      case "or":
        return this.or([predicate.left, predicate.right].map((one) => this.read(one)));
      case "size":
        return this.times(this.any, ...interval(predicate));
      case "json-depth": {
        this.tell((byte) => `"\\{}[]`.indexOf(String.fromCharCode(byte)));
        const [least, most] = interval(predicate);
        return this.and(this.reaches(least), this.not(this.reaches(most + 1)));
      }
      case "starts-with":
        return this.or(
          predicate.literals.map((l) => this.sequence([...this.literal(l), this.all])),
        );
      case "contains":
        return this.somewhere(this.literal(predicate.literal), predicate.within);
      case "printable":
        return this.read({ ...predicate, kind: "all-in", ranges: [{ first: 0x20, last: 0x7e }] });
      case "all-in": {
        const { ranges, within } = predicate;
        const other = (byte: number) => !ranges.some((r) => r.first <= byte && byte <= r.last);
        return this.not(this.somewhere([this.byte(other)], within));
      }
      case "utf8":
        return this.utf8(this.decoder(new Characters([], "u")));
      case "matches": {
        const { source, flags } = predicate;
        const name = `/${source}/${flags}`;
        const pattern = () => new Pattern(this.readRegex(source, flags).pattern, flags);
        return once(this.texts, name, () => textsWith(pattern(), this, name));
      }
    }
  }

  /** @returns those that all accept: two and two, and so on, so what many share is worked out once. */
  every(some: readonly Predicate[]): Expression {
    const left = [this.all, ...some.map((one) => this.read(one))];
    while (left.length > 1) left.push(this.and(left.shift()!, left.shift()!));
    return left[0];
  }

  /** Some bytes, one after another, that end in the first `within`. */
  private somewhere(wanted: readonly Expression[], within: number | null): Expression {
    const before = this.times(this.any, 0, (within ?? Infinity) - wanted.length);
    return this.sequence([before, ...wanted, this.all]);
  }

  /** A level of brackets that is reached. */
  private reaches(wanted: number, level = 0, within = "nothing"): Expression {
    if (wanted === Infinity) return this.never;
    if (level >= wanted) return this.all;
    return this.make(`json ${wanted} ${level} ${within}`, NOWHERE, (byte) => {
      const character = String.fromCharCode(byte);
      const go = (to: string, by = 0) => this.reaches(wanted, Math.max(0, level + by), to);
      if (within === "escape") return go("string");
      if (character === '"') return go(within === "string" ? "nothing" : "string");
      if (within === "string") return go(character === "\\" ? "escape" : "string");
      return go("nothing", "{[".includes(character) ? 1 : "}]".includes(character) ? -1 : 0);
    });
  }

  /** Characters, the first and the last perhaps cut off: `skips` bytes of the first may follow. */
  private utf8(start: Piece, piece = start, skips = 3): Expression {
    return this.make(`utf8 ${piece.id} ${skips}`, EVERYWHERE, (byte) => {
      if (skips > 0 && byte >= 0x80 && byte <= 0xbf) return this.utf8(start, piece, skips - 1);
      const next = piece.next[byte];
      return next ? this.utf8(start, next.whole ? start : next, 0) : this.never;
    });
  }
}
