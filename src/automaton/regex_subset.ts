/**
 * Nondeterministic → deterministic, over classes of characters, by sets of states (M. Rabin and
 * D. Scott, 1959). The automaton searches: it accepts for good once the expression has matched
 * anywhere.
 *
 * A deterministic state is what is known between two characters: the bits of the one before, and
 * the *threads*, those CHARACTER and ASSERT states that a match under way waits in. The threads of
 * a match that begins here are in every set and so are kept apart from them. Whether `\b` or `$`
 * holds is known when the next character is.
 */
import { type CharacterClasses, classesOf, type CodeSet } from "./code_points.ts";
import type { Raw } from "./explore.ts";
import { IntLists } from "./int_lists.ts";
import { ASSERT, CHARACTER, holds, MATCH, type Nfa, RegexTooLarge, SIDE } from "./regex_nfa.ts";
import { LINE_BREAKS } from "./regex_sets.ts";

/** The automaton over classes of characters. */
export interface CharacterAutomaton {
  readonly classes: CharacterClasses;
  readonly raw: Raw;
}

/** What one expression may take: states, threads kept, and steps of threads. */
const MOST = { states: 50_000, entries: 1_000_000, threads: 4_000_000, steps: 30_000_000 };

/**
 * @returns the automaton, not yet minimal.
 * @throws RegexTooLarge naming the part whose possibilities multiply.
 */
export function determinise(nfa: Nfa): CharacterAutomaton {
  return new Subsets(nfa).explore();
}

/** The threads that some states lead to without a character; null: to a match. */
type Closure = Int32Array | null;

class Subsets {
  private readonly classes: CharacterClasses;
  /** Bits of each class of characters, as one before and as one after. */
  private readonly bits: Uint8Array;
  /** The bits before a place that any assertion looks at. */
  private readonly relevant: number;
  private readonly closures: Map<number, Closure>[];
  private readonly found = new IntLists();
  private steps = 0;
  private readonly marks: Int32Array;
  private mark = 0;
  /** Highest rank seen in each family; good where the mark is the present one. */
  private readonly highest: Int32Array;
  private readonly rankMarks: Int32Array;
  private rankMark = 0;

  constructor(private readonly nfa: Nfa) {
    const context: [bit: number, set: CodeSet][] = [];
    if (nfa.assertions.length > 0) context.push([SIDE.lineBreak, LINE_BREAKS]);
    if (nfa.words !== null) context.push([SIDE.word, nfa.words]);
    this.classes = classesOf([...nfa.sets, ...context.map(([, set]) => set)], nfa.most);
    this.bits = new Uint8Array(this.classes.count);
    context.forEach(([bit], i) => {
      const members = this.classes.contains[nfa.sets.length + i];
      members.forEach((inside, symbol) => this.bits[symbol] |= inside ? bit : 0);
    });
    this.relevant = nfa.assertions.reduce((all, { kind, bits }) => {
      return kind === "end" ? all : all | bits;
    }, 0);
    this.closures = Array.from({ length: 8 }, () => new Map());
    this.marks = new Int32Array(nfa.kind.length);
    this.highest = new Int32Array(nfa.familyCount);
    this.rankMarks = new Int32Array(nfa.familyCount);
  }

  explore(): CharacterAutomaton {
    const k = this.classes.count;
    // The accepting state is the list that no other is: bits of its own.
    const accept = this.found.intern(Int32Array.of(-1));
    const next: number[] = new Array(k).fill(accept);
    const accepting = [1];
    const edge = SIDE.edge & this.relevant;
    const start = this.closure(this.nfa.start, edge) === null
      ? accept
      : this.found.intern(Int32Array.of(edge));
    for (let state = 1; state < this.found.count; state++) {
      const list = this.found.list(state).slice();
      const row = this.row(list[0], list.subarray(1));
      for (const target of row) next.push(target === null ? accept : this.found.intern(target));
      accepting.push(this.endsHere(list[0], list.subarray(1)) ? 1 : 0);
      if (
        this.found.count > MOST.states || this.found.count * k > MOST.entries ||
        this.found.length > MOST.threads || this.steps > MOST.steps
      ) throw new RegexTooLarge(this.growing());
    }
    return {
      classes: this.classes,
      raw: {
        classCount: k,
        stateCount: this.found.count,
        start,
        accepting: Uint8Array.from(accepting),
        next: Uint32Array.from(next),
      },
    };
  }

  /** @returns for each class the list of the next state, null for the accepting one. */
  private row(before: number, threads: Int32Array): Closure[] {
    const { nfa, classes } = this;
    const waits = (list: Int32Array) => list.some((thread) => nfa.kind[thread] === ASSERT);
    const starting = this.startingThreads(before);
    const asks = waits(threads) || (starting !== null && waits(starting));
    const all = starting === null ? threads : Int32Array.from([...threads, ...starting]);
    // By the bits of the character after, as far as they matter.
    const ready = new Map<number, Closure>();
    const row: Closure[] = [];
    for (let symbol = 0; symbol < classes.count; symbol++) {
      const after = asks ? this.bits[symbol] : 0;
      if (!ready.has(after)) ready.set(after, asks ? this.pass(all, before, after) : all);
      const threadsNow = ready.get(after)!;
      row.push(threadsNow === null ? null : this.target(threadsNow, symbol));
    }
    return row;
  }

  private target(threads: Int32Array, symbol: number): Closure {
    const { nfa, classes } = this;
    const before = this.bits[symbol] & this.relevant;
    this.steps += threads.length;
    this.mark++;
    const starting = this.closure(this.nfa.start, before);
    if (starting === null) return null;
    for (const one of starting) this.marks[one] = this.mark;
    const out: number[] = [];
    for (const thread of threads) {
      if (nfa.kind[thread] !== CHARACTER) continue;
      if (classes.contains[nfa.arg[thread]][symbol] === 0) continue;
      const reached = this.closure(nfa.next[thread], before);
      if (reached === null) return null;
      for (const one of reached) {
        if (this.marks[one] === this.mark) continue;
        this.marks[one] = this.mark;
        out.push(one);
      }
      this.steps += reached.length;
    }
    return Int32Array.from([before, ...this.best(out, starting).sort((a, b) => a - b)]);
  }

  /** @returns the threads without those that another thread makes needless. */
  private best(threads: number[], starting: Int32Array): number[] {
    const { ranks } = this.nfa;
    this.rankMark++;
    const note = (thread: number) => {
      const pairs = ranks[thread];
      for (let i = 0; i < pairs.length; i += 2) {
        const family = pairs[i];
        if (this.rankMarks[family] === this.rankMark && this.highest[family] >= pairs[i + 1]) {
          continue;
        }
        this.rankMarks[family] = this.rankMark;
        this.highest[family] = pairs[i + 1];
      }
    };
    threads.forEach(note);
    starting.forEach(note);
    return threads.filter((thread) => {
      const pairs = ranks[thread];
      for (let i = 0; i < pairs.length; i += 2) {
        if (this.highest[pairs[i]] > pairs[i + 1]) return false;
      }
      return true;
    });
  }

  /** @returns the threads of a match that begins between such characters; null: there are none. */
  private startingThreads(before: number): Closure {
    const found = this.closure(this.nfa.start, before);
    return found === null || found.length === 0 ? null : found;
  }

  /** Follows what needs no character; what depends on the one after stays a thread. */
  private closure(from: number, before: number): Closure {
    const known = this.closures[before].get(from);
    if (known !== undefined) return known;
    const found = this.follow([from], (assertion) => {
      if (assertion.kind !== "start") return null;
      return holds(assertion, before, 0);
    });
    this.closures[before].set(from, found);
    return found;
  }

  /** @returns the threads when the character after is known: of kind CHARACTER only. */
  private pass(threads: Int32Array, before: number, after: number): Closure {
    return this.follow(threads, (assertion) => holds(assertion, before, after));
  }

  private endsHere(before: number, threads: Int32Array): boolean {
    const starting = this.startingThreads(before) ?? [];
    return this.pass(Int32Array.from([...threads, ...starting]), before, SIDE.edge) === null;
  }

  /** @param decide whether an assertion holds; null: not known yet. */
  private follow(
    from: Iterable<number>,
    decide: (assertion: Nfa["assertions"][number]) => boolean | null,
  ): Closure {
    const { nfa } = this;
    const seen = new Set<number>(from);
    const threads: number[] = [];
    const visit = (state: number) => seen.add(state);
    for (const state of seen) { // which grows meanwhile
      this.steps++;
      const kind = nfa.kind[state];
      if (kind === MATCH) return null;
      if (kind === CHARACTER) threads.push(state);
      else if (kind === ASSERT) {
        const decided = decide(nfa.assertions[nfa.arg[state]]);
        if (decided === null) threads.push(state);
        else if (decided) visit(nfa.next[state]);
      } else nfa.branches[nfa.arg[state]].forEach(visit);
    }
    return Int32Array.from(threads);
  }

  /** @returns the smallest repetition in whose threads most of the latest sets differ. */
  private growing(): { start: number; raw: string } {
    const { nfa, found } = this;
    const inside = (thread: number, repetition: number) => {
      for (let at = nfa.repetition[thread]; at >= 0; at = nfa.repetitions[at].parent) {
        if (at === repetition) return true;
      }
      return false;
    };
    const sample = Array.from(
      { length: Math.min(400, found.count) },
      (_, i) => found.list(found.count - 1 - i).slice(1),
    );
    const kinds = nfa.repetitions.map((_, repetition) =>
      new Set(sample.map((list) => list.filter((thread) => inside(thread, repetition)).join()))
        .size
    );
    const most = Math.max(...kinds);
    const candidates = nfa.repetitions
      .filter((_, i) => kinds[i] * 2 >= most)
      .map(({ node }) => node)
      .sort((a, b) => a.raw.length - b.raw.length);
    return candidates[0] ?? { start: 0, raw: "the expression" };
  }
}
