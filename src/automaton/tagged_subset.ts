/**
 * Nondeterministic → deterministic over classes of characters, remembering where matches began.
 *
 * A state is what is known between two characters: the bits of the one before, and the threads of
 * the matches under way, in groups by where they began, the oldest first. A thread is left out where
 * another of its group or of an older one comes to a match no later, whatever follows: the first
 * match is what counts, and of several its leftmost start. How old a group is no state says; a
 * register does.
 */
import { type CharacterClasses, classesOf, type CodeSet } from "./code_points.ts";
import { Dominance, NO_RULE, type Reached, TooManyComparisons } from "./dominance.ts";
import { IntLists } from "./int_lists.ts";
import { ASSERT, CHARACTER, holds, MATCH, RegexTooLarge, SIDE } from "./regex_nfa.ts";
import { LINE_BREAKS } from "./regex_sets.ts";
import { MOST_CHARACTER, type RulesNfa } from "./rules_nfa.ts";
import { GROUP_END, ThreadList } from "./thread_list.ts";
import { type Broken, END, NEW, type Tagged, TaggedBuilder } from "./tagged.ts";

/** A tagged automaton over classes of characters. */
export interface TaggedCharacters {
  readonly classes: CharacterClasses;
  readonly tagged: Tagged;
}

/** What making one automaton may take. */
export interface Budget {
  /** States over characters. */
  readonly states: number;
  /** Entries of their table. */
  readonly entries: number;
  /** Threads that are kept, of all states. */
  readonly threads: number;
  /** Steps of threads. */
  readonly steps: number;
}

/** For a rule that cannot be divided. */
export const WHOLE_BUDGET: Budget = {
  states: 60_000,
  entries: 2_000_000,
  threads: 4_000_000,
  steps: 40_000_000,
};

/** Thrown where an expression matches the empty text: it would forbid whatever is said. */
export class MatchesNothing extends Error {
  constructor(readonly rule: number) {
    super(`rule ${rule} matches the empty text`);
  }
}

/**
 * @returns the automaton of "some rule matches somewhere", not yet minimal.
 * @throws RegexTooLarge naming the part whose possibilities multiply; MatchesNothing.
 */
export function determiniseTagged(nfa: RulesNfa, budget = WHOLE_BUDGET): TaggedCharacters {
  return new Subsets(nfa, budget).explore();
}

class Subsets {
  private readonly classes: CharacterClasses;
  /** Bits of each class of characters, as one before and as one after. */
  private readonly bits: Uint8Array;
  /** The bits before a place that any assertion looks at. */
  private readonly relevant: number;
  private readonly closures: Reached[][] = Array.from({ length: 16 }, () => []);
  private readonly beginnings = new Map<number, Reached>();
  private readonly beginningSteps = new Map<number, Reached>();
  private readonly found = new IntLists();
  private readonly builder: TaggedBuilder;
  private steps = 0;
  /** Of the state that a transition leads to, while it is made. */
  private readonly list: ThreadList;
  private readonly dominance: Dominance;

  constructor(private readonly nfa: RulesNfa, private readonly budget: Budget) {
    const context: [bit: number, set: CodeSet][] = [...nfa.words].map(([bit, set]) => [bit, set]);
    if (nfa.assertions.length > 0) context.push([SIDE.lineBreak, LINE_BREAKS]);
    this.classes = classesOf([...nfa.sets, ...context.map(([, set]) => set)], MOST_CHARACTER);
    this.bits = new Uint8Array(this.classes.count);
    context.forEach(([bit], i) => {
      const members = this.classes.contains[nfa.sets.length + i];
      members.forEach((inside, symbol) => this.bits[symbol] |= inside ? bit : 0);
    });
    this.relevant = nfa.assertions.reduce((all, { kind, bits }) => {
      return kind === "end" ? all : all | bits;
    }, 0);
    this.builder = new TaggedBuilder(this.classes.count);
    this.dominance = new Dominance(
      nfa,
      this.classes.contains,
      this.bits.map((bits) => bits & this.relevant),
      (state, before) => this.closure(state, before),
    );
    this.list = new ThreadList(nfa, this.dominance);
  }

  explore(): TaggedCharacters {
    const edge = SIDE.edge & this.relevant;
    const { rule } = this.beginning(edge);
    if (rule !== NO_RULE) throw new MatchesNothing(rule);
    this.found.intern(Int32Array.of(edge));
    const k = this.classes.count;
    const { budget } = this;
    for (let state = 0; state < this.found.count; state++) {
      const list = this.found.list(state).slice();
      const groups = groupsOf(list);
      this.builder.state(groups.length, this.ending(list[0], groups));
      try {
        this.row(list[0], groups);
      } catch (error) {
        if (!(error instanceof TooManyComparisons)) throw error;
        throw new RegexTooLarge(this.growing());
      }
      if (
        this.found.count > budget.states || this.found.count * k > budget.entries ||
        this.found.length > budget.threads || this.steps + this.dominance.work > budget.steps
      ) throw new RegexTooLarge(this.growing());
    }
    return { classes: this.classes, tagged: this.builder.build() };
  }

  /** Writes the transitions of a state. */
  private row(before: number, groups: readonly Int32Array[]): void {
    const starting = this.beginning(before);
    const asks = this.waits(starting.threads) || groups.some((group) => this.waits(group));
    // By the bits of the character after, as far as they matter.
    const ready = new Map<number, { groups: readonly Int32Array[]; broken: Broken | null }>();
    for (let symbol = 0; symbol < this.classes.count; symbol++) {
      const after = asks ? this.bits[symbol] : 0;
      if (!ready.has(after)) {
        ready.set(after, asks ? this.passed(before, after, groups) : { groups, broken: null });
      }
      const now = ready.get(after)!;
      this.target(before, now.groups, now.broken, symbol);
    }
  }

  /** The groups when the character after is known, and what matched before it. */
  private passed(before: number, after: number, groups: readonly Int32Array[]) {
    let rule = NO_RULE;
    let start = END;
    const reached = groups.map((group, i) => {
      const one = this.pass(group, before, after);
      if (one.rule !== NO_RULE) {
        rule = Math.min(rule, one.rule);
        start = Math.min(start, i);
      }
      return one.threads;
    });
    const fresh = this.pass(this.beginning(before).threads, before, after);
    if (fresh.rule !== NO_RULE) {
      rule = Math.min(rule, fresh.rule);
      start = Math.min(start, NEW);
    }
    return { groups: reached, broken: rule === NO_RULE ? null : { rule, start } };
  }

  /** Writes one transition. */
  private target(
    before: number,
    groups: readonly Int32Array[],
    matched: Broken | null,
    symbol: number,
  ): void {
    let rule = matched?.rule ?? NO_RULE;
    let start = matched?.start ?? END;
    this.list.begin(this.bits[symbol] & this.relevant);
    const sources: number[] = [];
    for (let i = 0; i <= groups.length; i++) {
      const fresh = i === groups.length;
      const source = fresh ? NEW : i;
      const least = fresh
        ? this.addAll(this.beginningStep(before, symbol))
        : this.addStep(groups[i], symbol);
      if (least !== NO_RULE) {
        rule = Math.min(rule, least);
        start = Math.min(start, source);
      }
      // What begins has been compared among itself already.
      if (this.list.endGroup(!fresh)) sources.push(source);
    }
    if (rule !== NO_RULE) return this.builder.violation({ rule, start });
    this.builder.step(this.found.intern(this.list.items), sources);
  }

  private addAll({ threads, rule }: Reached): number {
    this.steps += threads.length;
    this.list.addAll(threads);
    return rule;
  }

  /** Adds where the threads are after a character. @returns the rule that is broken. */
  private addStep(threads: Int32Array, symbol: number): number {
    const { nfa, classes } = this;
    const before = this.bits[symbol] & this.relevant;
    let rule = NO_RULE;
    this.steps += threads.length;
    for (let i = 0; i < threads.length; i++) {
      const thread = threads[i];
      if (nfa.kind[thread] !== CHARACTER) continue;
      if (classes.contains[nfa.arg[thread]][symbol] === 0) continue;
      rule = Math.min(rule, this.addAll(this.closure(nfa.next[thread], before)));
    }
    return rule;
  }

  /** What is broken if the text ends here. */
  private ending(before: number, groups: readonly Int32Array[]): Broken | null {
    const { broken } = this.passed(before, SIDE.edge, groups);
    return broken === null ? null : { ...broken, start: broken.start === NEW ? END : broken.start };
  }

  private waits(threads: Int32Array): boolean {
    return threads.some((thread) => this.nfa.kind[thread] === ASSERT);
  }

  /** @returns where the threads are after a character, some perhaps twice. */
  private step(threads: Int32Array, symbol: number): Reached {
    const { nfa, classes } = this;
    const before = this.bits[symbol] & this.relevant;
    const out: number[] = [];
    let rule = NO_RULE;
    this.steps += threads.length;
    for (const thread of threads) {
      if (nfa.kind[thread] !== CHARACTER) continue;
      if (classes.contains[nfa.arg[thread]][symbol] === 0) continue;
      const reached = this.closure(nfa.next[thread], before);
      rule = Math.min(rule, reached.rule);
      for (const one of reached.threads) out.push(one);
      this.steps += reached.threads.length;
    }
    return { threads: Int32Array.from(out), rule };
  }

  /** The threads of a match that begins between such characters. */
  private beginning(before: number): Reached {
    const known = this.beginnings.get(before);
    if (known !== undefined) return known;
    const found = this.merge(this.nfa.starts.map((start) => this.closure(start, before)));
    this.beginnings.set(before, found);
    return found;
  }

  /** What becomes of a match that begins with a character of the class: asked over and over. */
  private beginningStep(before: number, symbol: number): Reached {
    const key = before * this.classes.count + symbol;
    const known = this.beginningSteps.get(key);
    if (known !== undefined) return known;
    const { threads } = this.beginning(before);
    const ready = this.waits(threads)
      ? this.pass(threads, before, this.bits[symbol]).threads
      : threads;
    const { threads: all, rule } = this.step(ready, symbol);
    const distinct = [...new Set(all)].sort((a, b) => a - b);
    const { dominance } = this;
    const kept = distinct.filter((thread, i) =>
      !distinct.some((other, at) =>
        at !== i && dominance.of(other, thread) && !(i < at && dominance.of(thread, other))
      )
    );
    const found = { threads: Int32Array.from(kept), rule };
    this.beginningSteps.set(key, found);
    return found;
  }

  private merge(all: readonly Reached[]): Reached {
    return {
      threads: Int32Array.from(new Set(all.flatMap(({ threads }) => [...threads]))),
      rule: Math.min(NO_RULE, ...all.map(({ rule }) => rule)),
    };
  }

  /** Follows what needs no character; what depends on the one after stays a thread. */
  private closure(from: number, before: number): Reached {
    return this.closures[before][from] ??= this.follow([from], (assertion) => {
      return assertion.kind === "start" ? holds(assertion, before, 0) : null;
    });
  }

  /** @returns the threads when the character after is known: of kind CHARACTER only. */
  private pass(threads: Int32Array, before: number, after: number): Reached {
    return this.follow(threads, (assertion) => holds(assertion, before, after));
  }

  /** @param decide whether an assertion holds; null: not known yet. */
  private follow(
    from: Iterable<number>,
    decide: (assertion: RulesNfa["assertions"][number]) => boolean | null,
  ): Reached {
    const { nfa } = this;
    const seen = new Set<number>(from);
    const threads: number[] = [];
    let rule = NO_RULE;
    for (const state of seen) { // which grows meanwhile
      this.steps++;
      const kind = nfa.kind[state];
      if (kind === MATCH) rule = Math.min(rule, nfa.arg[state]);
      else if (kind === CHARACTER) threads.push(state);
      else if (kind === ASSERT) {
        const decided = decide(nfa.assertions[nfa.arg[state]]);
        if (decided === null) threads.push(state);
        else if (decided) seen.add(nfa.next[state]);
      } else for (const target of nfa.branches[nfa.arg[state]]) seen.add(target);
    }
    return { threads: Int32Array.from(threads), rule };
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
      (_, i) => found.list(found.count - 1 - i).slice(1).filter((thread) => thread !== GROUP_END),
    );
    const kinds = nfa.repetitions.map((_, repetition) =>
      new Set(sample.map((list) => list.filter((thread) => inside(thread, repetition)).join()))
        .size
    );
    const most = Math.max(0, ...kinds);
    const candidates = nfa.repetitions
      .filter((_, i) => kinds[i] * 2 >= most)
      .map(({ node }) => node)
      .sort((a, b) => a.raw.length - b.raw.length);
    return candidates[0] ?? { start: 0, raw: "the expression" };
  }
}

/** @returns the groups of a state's list, the oldest first. */
function groupsOf(list: Int32Array): Int32Array[] {
  const groups: Int32Array[] = [];
  let from = 1;
  for (let i = 1; i < list.length; i++) {
    if (list[i] !== GROUP_END) continue;
    groups.push(list.subarray(from, i));
    from = i + 1;
  }
  return groups;
}
