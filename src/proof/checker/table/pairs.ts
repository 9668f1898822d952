/** Table and predicate side by side: what both accept, and what any bytes lead to. */
import type { Predicate } from "../../../policy/predicate.ts";
import { refuse } from "../refusal.ts";
import type { Expression } from "./expressions.ts";
import { checkMaps } from "./maps.ts";
import { BYTES, once } from "./once.ts";
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
  readonly states: ReadonlyMap<Expression, number>;
  /** One of all bytes that neither side tells apart. */
  private readonly bytes: readonly number[];

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
    const { walk, sized, states } = walkOf(maps);
    this.states = states;
    this.first = [walk, reader.every(all.filter((one) => !isCompared(one)))];
    const classes = BYTES.map((byte) => `${reader.classOf[byte]} ${maps.classOf(byte)}`);
    this.bytes = BYTES.filter((byte) => classes.indexOf(classes[byte]) === byte);
    if (this.reached(sized).some(([one]) => one.ends()) === maps.dropEmpty) {
      throw refuse("table", "packets without a payload do not pass just where some payload does");
    }
  }

  /** @returns all that any bytes lead to from some expressions, in the order of the shortest. */
  *reached(...first: readonly Expression[]): Generator<readonly Expression[]> {
    const found = new Map([[first.map(({ id }) => id).join(), first]]);
    for (const some of found.values()) {
      yield some;
      for (const byte of this.bytes) {
        const next = some.map((one) => one.derive(byte));
        once(found, next.map(({ id }) => id).join(), () => next);
      }
    }
  }
}
