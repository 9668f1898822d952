/**
 * UTF-8 bytes → classes of characters, step by step: what `new TextDecoder()` does (the Encoding
 * Standard's UTF-8 decoder), as a table. Bytes that are no part of a character, and characters
 * broken off, are one U+FFFD for each maximal piece (Unicode 16, section 3.9.6, table 3-8).
 */
import { type CharacterClasses, classAt, intervalAt } from "./code_points.ts";

/** An entry of `next` that is no node: the byte cannot follow. */
export const BROKEN = -1;

/** The table. Node 0 is between two characters; every other is within one. */
export interface Decoder {
  readonly nodeCount: number;
  /** Bytes that no node tells apart. */
  readonly classOf: Uint8Array<ArrayBuffer>;
  readonly classCount: number;
  /**
   * `next[node * classCount + class]`: a node, or BROKEN, or -2 - i: the character is complete and
   * is of the classes `outputs[i]`.
   */
  readonly next: Int32Array;
  /** One class; two where a character is two UTF-16 code units. */
  readonly outputs: readonly (readonly number[])[];
  /** The class of U+FFFD. */
  readonly replacement: number;
}

/** Lead bytes with the range that the byte after them must be in: Unicode, table 3-7. */
const LEADS: [first: number, last: number, more: number, low: number, high: number][] = [
  [0xc2, 0xdf, 1, 0x80, 0xbf],
  [0xe0, 0xe0, 2, 0xa0, 0xbf],
  [0xe1, 0xec, 2, 0x80, 0xbf],
  [0xed, 0xed, 2, 0x80, 0x9f],
  [0xee, 0xef, 2, 0x80, 0xbf],
  [0xf0, 0xf0, 3, 0x90, 0xbf],
  [0xf1, 0xf3, 3, 0x80, 0xbf],
  [0xf4, 0xf4, 3, 0x80, 0x8f],
];

/** @param inUnits the classes are of UTF-16 code units, not of code points. */
export function decoderOf(classes: CharacterClasses, inUnits: boolean): Decoder {
  return new Table(classes, inUnits).build();
}

class Table {
  private readonly nodes: Int32Array[] = [new Int32Array(256).fill(BROKEN)];
  private readonly numbers = new Map<string, number>();
  private readonly outputs: number[][] = [];
  private readonly outputNumbers = new Map<number, number>();
  /** Nodes by what their characters are, for the many that are alike. */
  private readonly alike = new Map<string, number>();

  constructor(
    private readonly classes: CharacterClasses,
    private readonly inUnits: boolean,
  ) {}

  build(): Decoder {
    const root = this.nodes[0];
    for (let byte = 0; byte < 0x80; byte++) root[byte] = this.complete(byte);
    for (const [first, last, more, low, high] of LEADS) {
      for (let lead = first; lead <= last; lead++) {
        const payload = lead & (0x3f >> more);
        root[lead] = this.node(payload * 64 ** more, more, low, high);
      }
    }
    const { classOf, samples } = this.byteClasses();
    const next = new Int32Array(this.nodes.length * samples.length);
    this.nodes.forEach((node, i) =>
      samples.forEach((byte, symbol) => next[i * samples.length + symbol] = node[byte])
    );
    return {
      nodeCount: this.nodes.length,
      classOf,
      classCount: samples.length,
      next,
      outputs: this.outputs,
      replacement: classAt(this.classes, 0xfffd),
    };
  }

  /** @returns the entry for a finished character. */
  private complete(point: number): number {
    if (!this.inUnits || point <= 0xffff) return this.output(classAt(this.classes, point));
    const [high, low] = this.surrogates(point);
    return this.output(high, low);
  }

  private surrogates(point: number): [high: number, low: number] {
    const rest = point - 0x10000;
    return [
      classAt(this.classes, 0xd800 + (rest >> 10)),
      classAt(this.classes, 0xdc00 + (rest & 0x3ff)),
    ];
  }

  private output(...symbols: number[]): number {
    const key = symbols.length === 1 ? symbols[0] : (symbols[0] + 1) * 0x10000 + symbols[1];
    if (!this.outputNumbers.has(key)) {
      this.outputNumbers.set(key, this.outputs.push(symbols) - 1);
    }
    return -2 - this.outputNumbers.get(key)!;
  }

  /** @returns the node of the characters from `base` that lack `more` bytes, the next in a range. */
  private node(base: number, more: number, low = 0x80, high = 0xbf): number {
    const width = 64 ** (more - 1);
    const first = base + (low - 0x80) * width;
    const last = base + (high - 0x7f) * width - 1;
    const likeness = this.likeness(first, last);
    const key = likeness === null ? null : `${more} ${low} ${high} ${likeness}`;
    const known = key === null ? undefined : this.alike.get(key);
    if (known !== undefined) return known;
    const node = new Int32Array(256).fill(BROKEN);
    for (let byte = low; byte <= high; byte++) {
      const point = base + (byte - 0x80) * width;
      node[byte] = more === 1 ? this.complete(point) : this.node(point, more - 1);
    }
    const content = node.subarray(0x80, 0xc0).join();
    const number = this.numbers.get(content) ?? this.nodes.push(node) - 1;
    this.numbers.set(content, number);
    if (key !== null) this.alike.set(key, number);
    return number;
  }

  /** @returns a text that is the same for characters that are alike, if they are simple to tell. */
  private likeness(first: number, last: number): string | null {
    if (this.inUnits && first > 0xffff) {
      const rest = first - 0x10000;
      if (last - first < 64) return `${this.surrogates(first)[0]},low ${rest & 0x3ff}`;
      if (last - first >= 0x1000) return null;
      return [0, 1, 2, 3].map((i) => this.surrogates(first + i * 0x400)[0]).join();
    }
    const interval = intervalAt(this.classes, first);
    const end = this.classes.starts[interval + 1] ?? Infinity;
    return last < end ? `all ${this.classes.classes[interval]}` : null;
  }

  private byteClasses(): { classOf: Uint8Array<ArrayBuffer>; samples: number[] } {
    const numbers = new Map<string, number>();
    const samples: number[] = [];
    const classOf = Uint8Array.from({ length: 256 }, (_, byte) => {
      const column = this.nodes.map((node) => node[byte]).join();
      if (!numbers.has(column)) numbers.set(column, samples.push(byte) - 1);
      return numbers.get(column)!;
    });
    return { classOf, samples };
  }
}
