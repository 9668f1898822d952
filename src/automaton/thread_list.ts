/**
 * The threads of a state, in groups by where their matches began, the oldest first; put together
 * group by group, without those that are needless.
 */
import type { Dominance } from "./dominance.ts";
import type { RulesNfa } from "./rules_nfa.ts";

/** Ends a group. */
export const GROUP_END = -1;

export class ThreadList {
  private list = new Int32Array(1024);
  private length = 0;
  /** Where the group that is being made begins. */
  private from = 0;
  private readonly kept: number[] = [];
  /** A thread that is in the list, or was, has the present mark. */
  private readonly marks: Int32Array;
  private mark = 0;
  /** Highest rank seen in each family; good where the mark is the present one. */
  private readonly highest: Int32Array;
  private readonly rankMarks: Int32Array;

  constructor(private readonly nfa: RulesNfa, private readonly dominance: Dominance) {
    this.marks = new Int32Array(nfa.kind.length);
    this.highest = new Int32Array(nfa.familyCount);
    this.rankMarks = new Int32Array(nfa.familyCount);
  }

  /** Begins a list. @param head what stands before the groups. */
  begin(head: number): void {
    this.mark++;
    this.list[0] = head;
    this.length = this.from = 1;
  }

  /** The list: its head, and of each group the threads, ascending, and GROUP_END. A view. */
  get items(): Int32Array {
    return this.list.subarray(0, this.length);
  }

  /**
   * Ends a group; one without threads is left out.
   * @param among whether its threads may dominate each other.
   * @returns whether it has threads.
   */
  endGroup(among: boolean): boolean {
    if (this.nfa.familyCount > 0) this.dropLowRanks(this.from);
    if (among) sort(this.list, this.from, this.length);
    this.dropDominated(this.from, among);
    if (this.length === this.from) return false;
    this.add(GROUP_END);
    this.from = this.length;
    return true;
  }

  /** Adds threads that are not there yet: an older group has the same future. */
  addAll(threads: Int32Array): void {
    for (let i = 0; i < threads.length; i++) {
      const thread = threads[i];
      if (this.marks[thread] === this.mark) continue;
      this.marks[thread] = this.mark;
      this.add(thread);
    }
  }

  private add(item: number): void {
    if (this.length === this.list.length) {
      const larger = new Int32Array(2 * this.length);
      larger.set(this.list);
      this.list = larger;
    }
    this.list[this.length++] = item;
  }

  /**
   * Drops the threads from there on that another dominates, of an older group or, if asked for,
   * among themselves.
   */
  private dropDominated(from: number, among: boolean): void {
    const { list, dominance } = this;
    const to = this.length;
    if (from === 1 && (!among || to === 2)) return;
    let kept = from;
    for (let i = from; i < to; i++) {
      const thread = list[i];
      let needed = true;
      for (let at = 1; at < from && needed; at++) {
        if (list[at] !== GROUP_END) needed = !dominance.of(list[at], thread);
      }
      for (let at = among ? from : to; at < to && needed; at++) {
        // Of two that dominate each other the first stays. Those dropped before are dominated by
        // one that stays, as dominance is transitive.
        if (at === i || !dominance.of(list[at], thread)) continue;
        needed = i < at && dominance.of(thread, list[at]);
      }
      if (needed) this.kept[kept++ - from] = thread;
    }
    for (let i = from; i < kept; i++) list[i] = this.kept[i - from];
    this.length = kept;
  }

  /** As `dropDominated`, by ranks, which know loops. */
  private dropLowRanks(from: number): void {
    const { ranks } = this.nfa;
    for (let i = from; i < this.length; i++) this.note(ranks[this.list[i]]);
    let kept = from;
    for (let i = from; i < this.length; i++) {
      const pairs = ranks[this.list[i]];
      let needed = true;
      for (let at = 0; at < pairs.length; at += 2) {
        if (this.highest[pairs[at]] > pairs[at + 1]) needed = false;
      }
      if (needed) this.list[kept++] = this.list[i];
    }
    this.length = kept;
  }

  private note(pairs: readonly number[]): void {
    for (let i = 0; i < pairs.length; i += 2) {
      const [family, rank] = [pairs[i], pairs[i + 1]];
      if (this.rankMarks[family] === this.mark && this.highest[family] >= rank) continue;
      this.rankMarks[family] = this.mark;
      this.highest[family] = rank;
    }
  }
}

/** Ascending; few items as a rule. */
function sort(list: Int32Array, from: number, to: number): void {
  if (to - from > 24) {
    list.subarray(from, to).sort();
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const item = list[i];
    let at = i;
    for (; at > from && list[at - 1] > item; at--) list[at] = list[at - 1];
    list[at] = item;
  }
}
