/** Sets of characters, as ranges of code points. */

/** First and last code point of each range; ascending, with a gap between any two. */
export type CodeSet = readonly (readonly [first: number, last: number])[];

/** @returns the set of everything in any of the ranges, whatever their order. */
export function codeSet(ranges: Iterable<readonly [first: number, last: number]>): CodeSet {
  const out: [number, number][] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const before = out.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else out.push([first, last]);
  }
  return out;
}

/** @returns what of 0 to `most` is not in the set. */
export function complementOf(set: CodeSet, most: number): CodeSet {
  const out: [number, number][] = [];
  let free = 0;
  for (const [first, last] of set) {
    if (first > free) out.push([free, first - 1]);
    free = last + 1;
  }
  if (free <= most) out.push([free, most]);
  return out;
}

/** Characters grouped by the sets that they are in. */
export interface CharacterClasses {
  readonly count: number;
  /** First code point of each interval, ascending from 0; an interval is of one class. */
  readonly starts: Int32Array;
  /** The class of each interval. */
  readonly classes: Int32Array;
  /** `contains[set][class]`: whether the class's characters are in the set. */
  readonly contains: readonly Uint8Array[];
}

/** @returns the coarsest classes of the code points 0 to `most` that no set needs split. */
export function classesOf(sets: readonly CodeSet[], most: number): CharacterClasses {
  const bounds = new Set([0]);
  for (const set of sets) {
    for (const [first, last] of set) {
      if (first <= most) bounds.add(first);
      if (last < most) bounds.add(last + 1);
    }
  }
  const cuts = [...bounds].sort((a, b) => a - b);
  // Refine class by class: after each set the classes are those that all sets so far tell apart.
  let classes = new Int32Array(cuts.length);
  let count = 1;
  for (const set of sets) {
    const numbers = new Map<number, number>();
    const refined = new Int32Array(cuts.length);
    let at = 0;
    cuts.forEach((cut, i) => {
      while (at < set.length && set[at][1] < cut) at++;
      const inside = at < set.length && set[at][0] <= cut ? 1 : 0;
      const signature = classes[i] * 2 + inside;
      if (!numbers.has(signature)) numbers.set(signature, numbers.size);
      refined[i] = numbers.get(signature)!;
    });
    classes = refined;
    count = numbers.size;
  }
  const kept = cuts.map((_, i) => i).filter((i) => i === 0 || classes[i] !== classes[i - 1]);
  const found: CharacterClasses = {
    count,
    starts: Int32Array.from(kept, (i) => cuts[i]),
    classes: Int32Array.from(kept, (i) => classes[i]),
    contains: sets.map(() => new Uint8Array(count)),
  };
  sets.forEach((set, i) => {
    for (const [first] of set) {
      if (first <= most) found.contains[i][classAt(found, first)] = 1;
    }
    // A range may begin in one class and go on into others.
    let at = 0;
    found.starts.forEach((start, interval) => {
      while (at < set.length && set[at][1] < start) at++;
      if (at < set.length && set[at][0] <= start) found.contains[i][found.classes[interval]] = 1;
    });
  });
  return found;
}

/** @returns the index of the interval that a code point is in. */
export function intervalAt(classes: CharacterClasses, point: number): number {
  let low = 0;
  let high = classes.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (classes.starts[middle] <= point) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** @returns the class of a code point. */
export function classAt(classes: CharacterClasses, point: number): number {
  return classes.classes[intervalAt(classes, point)];
}
