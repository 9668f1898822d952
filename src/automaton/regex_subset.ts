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

/** Of the matches that begin at a place. */
interface Beginning {
  readonly threads: Closure;
  /** Of each state whether it is one of the threads. */
  readonly has: Uint8Array;
  /** The threads' families and ranks, as in `Nfa.ranks`. */
  readonly ranks: readonly number[];
  /** Whether there is a match if the payload ends there. */
  readonly ends: boolean;
  /** @returns the threads behind a character of the class. */
  step(symbol: number): Closure;
}

class Subsets {
  private readonly classes: CharacterClasses;
  /** Bits of each class of characters, as one before and as one after. */
  private readonly bits: Uint8Array;
  /** The bits before a place that any assertion looks at. */
  private readonly relevant: number;
  private readonly closures: Map<number, Closure>[];
  private readonly beginnings = new Map<number, Beginning>();
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
    const asks = this.waits(threads);
    // By the bits of the character after, as far as they matter.
    const ready = new Map<number, Closure>();
    const row: Closure[] = [];
    for (let symbol = 0; symbol < this.classes.count; symbol++) {
      const after = asks ? this.bits[symbol] : 0;
      if (!ready.has(after)) ready.set(after, asks ? this.pass(threads, before, after) : threads);
      const threadsNow = ready.get(after)!;
      const starting = threadsNow === null ? null : this.beginning(before).step(symbol);
      row.push(threadsNow && starting && this.target(threadsNow, starting, symbol));
    }
    return row;
  }

  private waits(threads: Int32Array): boolean {
    return threads.some((thread) => this.nfa.kind[thread] === ASSERT);
  }

  /** @param starting the threads of the matches that began before the character. */
  private target(threads: Int32Array, starting: Int32Array, symbol: number): Closure {
    const before = this.bits[symbol] & this.relevant;
    const beginning = this.beginning(before);
    if (beginning.threads === null) return null;
    const stepped = this.step(threads, symbol);
    if (stepped === null) return null;
    this.mark++;
    const out: number[] = [];
    for (const list of [stepped, starting]) {
      for (const one of list) {
        if (this.marks[one] === this.mark || beginning.has[one] === 1) continue;
        this.marks[one] = this.mark;
        out.push(one);
      }
    }
    this.steps += starting.length;
    const kept = this.nfa.familyCount === 0 ? out : this.best(out, beginning);
    const list = new Int32Array(kept.length + 1);
    list[0] = before;
    for (let i = 0; i < kept.length; i++) list[i + 1] = kept[i];
    list.subarray(1).sort();
    return list;
  }

  /** @returns where the threads are after a character, some perhaps twice. */
  private step(threads: Int32Array, symbol: number): readonly number[] | null {
    const { nfa, classes } = this;
    const before = this.bits[symbol] & this.relevant;
    const out: number[] = [];
    this.steps += threads.length;
    for (const thread of threads) {
      if (nfa.kind[thread] !== CHARACTER) continue;
      if (classes.contains[nfa.arg[thread]][symbol] === 0) continue;
      const reached = this.closure(nfa.next[thread], before);
      if (reached === null) return null;
      for (const one of reached) out.push(one);
      this.steps += reached.length;
    }
    return out;
  }

  /** @returns the threads without those that another thread makes needless. */
  private best(threads: number[], beginning: Beginning): number[] {
    const { ranks } = this.nfa;
    this.rankMark++;
    const note = (family: number, rank: number) => {
      if (this.rankMarks[family] === this.rankMark && this.highest[family] >= rank) return;
      this.rankMarks[family] = this.rankMark;
      this.highest[family] = rank;
    };
    const noteAll = (pairs: readonly number[]) => {
      for (let i = 0; i < pairs.length; i += 2) note(pairs[i], pairs[i + 1]);
    };
    for (const thread of threads) noteAll(ranks[thread]);
    noteAll(beginning.ranks);
    return threads.filter((thread) => {
      const pairs = ranks[thread];
      for (let i = 0; i < pairs.length; i += 2) {
        if (this.highest[pairs[i]] > pairs[i + 1]) return false;
      }
      return true;
    });
  }

  /** What a match that begins between such characters does: it is asked for over and over. */
  private beginning(before: number): Beginning {
    const known = this.beginnings.get(before);
    if (known !== undefined) return known;
    const threads = this.closure(this.nfa.start, before);
    const has = new Uint8Array(this.nfa.kind.length);
    threads?.forEach((thread) => has[thread] = 1);
    const ranks = [...new Set(threads ?? [])].flatMap((thread) => this.nfa.ranks[thread]);
    const asks = threads !== null && this.waits(threads);
    const steps: (Closure | undefined)[] = [];
    const found: Beginning = {
      threads,
      has,
      ranks,
      ends: threads === null || this.pass(threads, before, SIDE.edge) === null,
      step: (symbol) => {
        if (steps[symbol] !== undefined) return steps[symbol];
        const ready = asks ? this.pass(threads, before, this.bits[symbol]) : threads;
        const stepped = ready === null ? null : this.step(ready, symbol);
        return steps[symbol] = stepped === null ? null : Int32Array.from(new Set(stepped));
      },
    };
    this.beginnings.set(before, found);
    return found;
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
    return this.beginning(before).ends || this.pass(threads, before, SIDE.edge) === null;
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
