/** A tagged automaton over characters → one over bytes, with the rule that the bytes are of a charset. */
import { classesOfSets } from "./byte_automaton.ts";
import { TooManyStates } from "./explore.ts";
import { both, type Broken, END, NEW, type Tagged, TaggedBuilder } from "./tagged.ts";
import { lostStates } from "./tagged_live.ts";
import type { TaggedCharacters } from "./tagged_subset.ts";
import { BROKEN, type Decoder, decoderOf } from "./utf8.ts";

/** Which bytes may occur; what is no UTF-8 is broken but where it says `null`: any may. */
export interface CharsetRule {
  /** The rule's number. */
  readonly rule: number;
  readonly has: (byte: number) => boolean;
}

/** A tagged automaton over bytes. */
export interface TaggedBytes {
  /** The class of each of the 256 bytes. */
  readonly classOf: Uint8Array<ArrayBuffer>;
  readonly tagged: Tagged;
}

/** Of the table, so that minimising it takes no more than 256 MB. */
const MOST_ENTRIES = 800_000;

/**
 * Registers hold the index of a character's first byte. Within a character a state has one more,
 * the youngest: where that character began.
 * @param charset null: bytes that are no character are U+FFFD, as TextDecoder has it.
 * @throws TooManyStates.
 */
export function overBytesTagged(
  characters: TaggedCharacters,
  charset: CharsetRule | null,
): TaggedBytes {
  return new Composition(characters, charset).build();
}

class Composition {
  private readonly decoder: Decoder;
  private readonly alike: Int32Array;
  /** Of each state over characters what is broken whatever follows, or null. */
  private readonly lost: readonly (Broken | null)[];
  private readonly numbers = new Map<number, number>();
  private readonly states: number[] = [];
  private readonly symbols = new Map<number, ReadonlySet<number>>();

  constructor(
    private readonly characters: TaggedCharacters,
    private readonly charset: CharsetRule | null,
  ) {
    this.decoder = decoderOf(characters.classes, false);
    this.alike = this.alikeWithin();
    this.lost = charset === null ? [] : lostStates(characters.tagged);
  }

  build(): TaggedBytes {
    const { decoder, charset } = this;
    const allowed = charset?.has ?? (() => true);
    const classOf = charset === null ? decoder.classOf : classesOfSets([
      ...Array.from(
        { length: decoder.classCount },
        (_, symbol) => (byte: number) => decoder.classOf[byte] === symbol,
      ),
      charset.has,
    ]);
    const samples: number[] = [];
    classOf.forEach((symbol, byte) => samples[symbol] ??= byte);
    const builder = new TaggedBuilder(samples.length);
    const { tagged } = this.characters;
    const opNumbers = builder.opNumbersOf(tagged);
    // Of each byte that is a character by itself and may be, its symbol; else -1.
    const symbols = samples.map((byte) => {
      const entry = decoder.next[decoder.classOf[byte]];
      if (entry >= BROKEN || !allowed(byte)) return -1;
      const output = decoder.outputs[-2 - entry];
      return output.length === 1 ? output[0] : -1;
    });
    this.numberOf(tagged.start, 0);
    for (let at = 0; at < this.states.length; at++) {
      const state = Math.floor(this.states[at] / decoder.nodeCount);
      const node = this.states[at] % decoder.nodeCount;
      builder.state(tagged.registers[state] + (node > 0 ? 1 : 0), this.ending(state, node));
      samples.forEach((byte, i) => {
        if (node > 0 || symbols[i] < 0) return this.feed(builder, state, node, byte);
        const entry = state * tagged.classCount + symbols[i];
        const target = tagged.next[entry];
        if (target < 0) builder.violation(tagged.broken[~target]);
        else builder.stepBy(this.numberOf(target, 0), opNumbers[tagged.op[entry]]);
      });
      if (this.states.length * samples.length > MOST_ENTRIES) throw new TooManyStates();
    }
    return { classOf, tagged: builder.build() };
  }

  private numberOf(state: number, node: number): number {
    const key = state * this.decoder.nodeCount + node;
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.states.push(key) - 1;
      this.numbers.set(key, number);
    }
    return number;
  }

  /** Writes the transition of a byte. */
  private feed(builder: TaggedBuilder, state: number, node: number, byte: number): void {
    const { next, classOf, classCount, outputs, replacement } = this.decoder;
    const { tagged } = this.characters;
    const registers = tagged.registers[state];
    const run = new Run(tagged, state);
    // Where the character began whose byte this is.
    let began = node > 0 ? registers : NEW;
    let broken: Broken | null = null;
    const breaks = () => {
      if (this.charset !== null) broken = both(broken, { rule: this.charset.rule, start: began });
      run.read(replacement, began);
    };
    let entry = next[node * classCount + classOf[byte]];
    if (entry === BROKEN) {
      breaks();
      // Within a character the byte begins another one; at its beginning it is itself broken.
      entry = node === 0 ? 0 : next[classOf[byte]];
      began = NEW;
      if (entry === BROKEN) {
        breaks();
        entry = 0;
      }
    } else if (this.charset !== null && !this.charset.has(byte)) {
      broken = { rule: this.charset.rule, start: began };
    }
    if (entry < 0) {
      for (const output of outputs[-2 - entry]) run.read(output, began);
      entry = 0;
    }
    if (broken !== null && run.broken === null) {
      broken = both(broken, this.certain(run, entry, began));
    }
    broken = both(broken, run.broken);
    if (broken !== null) return builder.violation(broken);
    const at = entry === 0 ? run.state : this.alike[run.state];
    const sources = entry === 0 ? run.sources : [...run.sources, began];
    builder.step(this.numberOf(at, entry), sources);
  }

  /**
   * @returns what else is broken by a byte that may not be: what is now certain, whatever the
   * character becomes that it begins, as the end of a whole word before it.
   */
  private certain({ state, sources }: Run, node: number, began: number): Broken | null {
    const { tagged } = this.characters;
    const from = (source: number) => source >= NEW ? began : sources[source];
    if (node === 0) {
      const lost = this.lost[state];
      return lost && { ...lost, start: lost.start === END ? began : from(lost.start) };
    }
    let all: Broken | null = null;
    for (const symbol of this.symbolsAt(node)) {
      const entry = state * tagged.classCount + symbol;
      const target = tagged.next[entry];
      const now = target < 0 ? tagged.broken[~target] : this.lost[target];
      if (now === null) return null;
      const start = target < 0 || now.start === END
        ? now.start
        : tagged.ops[tagged.op[entry]][now.start];
      all = both(all, { rule: now.rule, start: from(start) });
    }
    return all;
  }

  /** @returns the classes of the characters that may become whole from a node, and of U+FFFD. */
  private symbolsAt(node: number): ReadonlySet<number> {
    const known = this.symbols.get(node);
    if (known !== undefined) return known;
    const { next, classCount, outputs, replacement } = this.decoder;
    const symbols = new Set([replacement]);
    for (const entry of next.subarray(node * classCount, (node + 1) * classCount)) {
      if (entry === BROKEN) continue;
      const some = entry < 0 ? outputs[-2 - entry] : this.symbolsAt(entry);
      for (const symbol of some) symbols.add(symbol);
    }
    this.symbols.set(node, symbols);
    return symbols;
  }

  private ending(state: number, node: number): Broken | null {
    const { tagged } = this.characters;
    if (node === 0) return endOf(tagged, state, END);
    const began = tagged.registers[state];
    const broken = this.charset === null ? null : { rule: this.charset.rule, start: began };
    // A character that is broken off by the end is one U+FFFD.
    const run = new Run(tagged, state);
    run.read(this.decoder.replacement, began);
    if (run.broken !== null) return both(broken, run.broken);
    const ended = endOf(tagged, run.state, END);
    if (ended === null) return broken;
    const start = ended.start === END ? END : run.sources[ended.start];
    return both(broken, { rule: ended.rule, start });
  }

  /**
   * @returns for each state the first that all characters of several bytes, and broken ones, lead
   * on just as they lead it on: within a character the two are one.
   */
  private alikeWithin(): Int32Array {
    const { tagged } = this.characters;
    const { next: entries, classCount, nodeCount, outputs, replacement } = this.decoder;
    const symbols = new Set([replacement]);
    for (let i = classCount; i < nodeCount * classCount; i++) {
      if (entries[i] < BROKEN) symbols.add(outputs[-2 - entries[i]][0]);
    }
    const first = new Map<string, number>();
    const { classCount: k, registers, next, op } = tagged;
    return Int32Array.from({ length: tagged.stateCount }, (_, state) => {
      const row = [registers[state]];
      for (const symbol of symbols) row.push(next[state * k + symbol], op[state * k + symbol]);
      const key = row.join();
      if (!first.has(key)) first.set(key, state);
      return first.get(key)!;
    });
  }
}

/** Several characters read one after another, within the reading of one byte. */
class Run {
  sources: readonly number[];
  broken: Broken | null = null;

  constructor(private readonly tagged: Tagged, public state: number) {
    this.sources = Array.from({ length: tagged.registers[state] }, (_, i) => i);
  }

  /** @param began the source of the start of a match that begins with the character. */
  read(symbol: number, began: number): void {
    if (this.broken !== null) return; // what follows a violation is no matter
    const { classCount, next, op, ops, broken } = this.tagged;
    const entry = this.state * classCount + symbol;
    const target = next[entry];
    const from = (source: number) => source === NEW ? began : this.sources[source];
    if (target < 0) {
      const { rule, start } = broken[~target];
      this.broken = { rule, start: from(start) };
      return;
    }
    this.sources = ops[op[entry]].map(from);
    this.state = target;
  }
}

function endOf({ end, broken }: Tagged, state: number, at: number): Broken | null {
  if (end[state] < 0) return null;
  const { rule, start } = broken[end[state]];
  return { rule, start: start === END ? at : start };
}
