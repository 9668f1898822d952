/** Table and predicate side by side: what both accept, and which bytes neither tells apart. */
import type { Predicate } from "../../../policy/predicate.ts";
import { refuse } from "../refusal.ts";
import type { Expression } from "./expressions.ts";
import { checkMaps, type Maps } from "./maps.ts";
import { BYTES } from "./once.ts";
import { conjuncts, interval, type Limit, PredicateReader, type ReadRegex } from "./predicate.ts";
import { walkOf } from "./walk.ts";

/** What is to be checked: the predicate, as its trusted parser made it, and the frozen maps. */
export interface TableClaim {
  readonly predicate: Predicate;
  readonly readRegex: ReadRegex;
  readonly table: Uint8Array;
  readonly config: Uint8Array;
}

export class Pairs {
  /** What both sides accept of a payload whose size is not refused. */
  readonly first: readonly [walk: Expression, predicate: Expression];
  /** The table's states that expressions of the walk stand for. */
  readonly states = new Map<Expression, number>();
  /** One of all bytes that neither side tells apart. */
  readonly bytes: readonly number[];

  /**
   * @param reader what it reads once it need not read again for the next claim.
   * @throws VeiError `proof-table` or `proof-predicate`.
   */
  constructor(claim: TableClaim, reader = new PredicateReader(claim.readRegex)) {
    const maps = checkMaps(claim.table, claim.config);
    // Sizes in a conjunction may be compared by the program. One below 0 stays: there is none.
    const compares = maps.leastSize > 0 || maps.mostSize < Infinity;
    const isCompared = (one: Predicate): one is Limit =>
      compares && one.kind === "size" && interval(one)[1] >= 0;
    const all = conjuncts(claim.predicate);
    const sizes = all.filter(isCompared).map(interval);
    const least = Math.max(0, ...sizes.map(([least]) => least));
    const most = Math.min(Infinity, ...sizes.map(([, most]) => most));
    if (least !== maps.leastSize || most !== maps.mostSize) {
      throw refuse("table", "the program compares the payload's size with other numbers");
    }
    const others = all.filter((one) => !isCompared(one));
    this.first = [walkOf(maps, this.states), reader.every(others)];
    const classes = BYTES.map((byte) => `${reader.classOf[byte]} ${maps.classOf(byte)}`);
    this.bytes = BYTES.filter((byte) => classes.indexOf(classes[byte]) === byte);
    if (this.acceptsSome(maps) === maps.dropEmpty) {
      throw refuse("table", "packets without a payload do not pass just where some payload does");
    }
  }

  /** Whether the walk accepts some payload whose size is not refused. */
  private acceptsSome({ leastSize, mostSize }: Maps): boolean {
    const after = (one: Expression) => this.bytes.map((byte) => one.derive(byte));
    let layer = new Set([this.first[0]]);
    // From the least size on, each state that is reached is so within as many bytes as there are.
    for (let size = 0; size <= Math.min(mostSize, leastSize + this.states.size); size++) {
      if (size >= leastSize && [...layer].some((one) => one.ends())) return true;
      // Once one more byte leads nowhere else, no number of them does.
      const next = new Set([...layer].flatMap(after));
      if (size < leastSize && layer.symmetricDifference(next).size === 0) size = leastSize - 1;
      layer = next;
    }
    return false;
  }
}
