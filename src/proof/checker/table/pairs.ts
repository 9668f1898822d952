/** The walk over the table and the predicate, side by side, a byte at a time. */
import type { Predicate } from "../../../policy/predicate.ts";
import { refuse } from "../refusal.ts";
import { BYTES } from "./once.ts";
import { checkMaps, type Walk } from "./maps.ts";
import { interval, PredicateReader } from "./predicate.ts";
import type { Residual } from "./residuals.ts";
import type { ReadRegex } from "./text.ts";

/** What is to be checked: the predicate, as its trusted parser made it, and the frozen maps. */
export interface TableClaim {
  readonly predicate: Predicate;
  readonly readRegex: ReadRegex;
  readonly table: Uint8Array;
  readonly config: Uint8Array;
}

/** What a walk comes to, whatever follows; any other number is a state that is not decided. */
const REFUSED = 0, ACCEPTED = 1;

/** The two sides after the same bytes. */
export interface Pair {
  readonly state: number;
  /** Bytes walked, where the walk stops before the payload does. */
  readonly walked: number;
  readonly residual: Residual;
}

/** No size is larger. */
const ANY_SIZE = 0xffff_ffff;

export class Pairs {
  /** Before the first byte. */
  readonly first: Pair;
  private readonly walk: Walk;
  private readonly stops: boolean;

  /**
   * @param reader what it reads once it need not read again for the next claim.
   * @throws VeiError `proof-table` or `proof-predicate`.
   */
  constructor(
    { predicate, table, config, readRegex }: TableClaim,
    private readonly reader = new PredicateReader(readRegex),
  ) {
    this.walk = checkMaps(table, config);
    const { start, leastSize, mostSize, walkBytes, cuts } = this.walk;
    // What is longer than the most size is refused in any case, and so is what a walk is cut in.
    this.stops = walkBytes < mostSize && !cuts;
    let sizes = { least: 0, most: ANY_SIZE, rest: predicate };
    if (leastSize > 0 || mostSize < ANY_SIZE) sizes = sizesOf(predicate);
    if (sizes.least !== leastSize || sizes.most !== mostSize) {
      throw refuse("table", "the program compares the payload's size with other numbers");
    }
    this.first = { ...this.come(start, 0), residual: this.reader.read(sizes.rest) };
  }

  after({ state, walked, residual }: Pair, byte: number): Pair {
    const next = this.reader.after(residual, byte);
    if (state <= ACCEPTED) return { state, walked, residual: next };
    return { ...this.come(this.walk.next(state, byte), walked + 1), residual: next };
  }

  /** @returns by key, each pair that some byte leads to, and the first such byte. */
  next(pair: Pair): Map<number, { readonly to: Pair; readonly byte: number }> {
    const found = new Map<number, { to: Pair; byte: number }>();
    const tried = new Set<number>();
    const { classes } = pair.residual.row();
    for (const byte of BYTES) {
      // Bytes that neither side tells apart lead to one pair.
      const state = pair.state <= ACCEPTED ? 0 : this.walk.next(pair.state, byte);
      const alike = state * 256 + classes.classOf[byte];
      if (tried.has(alike)) continue;
      tried.add(alike);
      const to = this.after(pair, byte);
      const key = this.key(to);
      if (!found.has(key)) found.set(key, { to, byte });
    }
    return found;
  }

  private come(state: number, bytes: number): { state: number; walked: number } {
    const { decidedBelow, walkBytes } = this.walk;
    if (state < decidedBelow) return { state: state === 0 ? REFUSED : ACCEPTED, walked: 0 };
    if (!this.stops) return { state, walked: 0 };
    if (bytes < walkBytes) return { state, walked: bytes };
    return { state: this.ends(state) ? ACCEPTED : REFUSED, walked: 0 };
  }

  /** Whether the walk accepts a payload that ends here. */
  ends(state: number): boolean {
    return state === ACCEPTED || (state !== REFUSED && state >= this.walk.acceptFrom);
  }

  /** @returns a number that no other pair has. */
  key({ state, walked, residual }: Pair): number {
    return (residual.id * 2048 + walked) * 65_536 + state;
  }

  /** @param next of each pair, the first being 0, those that a byte leads to. */
  checkEmpty(accepting: readonly boolean[], next: readonly (readonly number[])[]): void {
    const { leastSize, mostSize, dropEmpty } = this.walk;
    let [layer, seen] = [new Set([0]), new Set<number>()];
    for (let size = 0; size <= mostSize && layer.size > 0; size++) {
      if (size >= leastSize) {
        if ([...layer].some((pair) => accepting[pair])) {
          if (dropEmpty) throw refuse("table", "packets without a payload are dropped");
          return;
        }
        seen = seen.union(layer);
      }
      layer = new Set([...layer].flatMap((pair) => next[pair])).difference(seen);
    }
    if (!dropEmpty) throw refuse("table", "no payload is accepted, but packets without one are");
  }
}

/** Takes the sizes out of a conjunction. A size below 0 stays in: there is none. */
function sizesOf(predicate: Predicate): { least: number; most: number; rest: Predicate } {
  if (predicate.kind === "and") {
    const [left, right] = [sizesOf(predicate.left), sizesOf(predicate.right)];
    return {
      least: Math.max(left.least, right.least),
      most: Math.min(left.most, right.most),
      rest: { kind: "and", left: left.rest, right: right.rest },
    };
  }
  const [least, most] = predicate.kind === "size" ? interval(predicate) : [0, -1];
  if (most < 0) return { least: 0, most: ANY_SIZE, rest: predicate };
  return { least, most: Math.min(most, ANY_SIZE), rest: { kind: "anything" } };
}
