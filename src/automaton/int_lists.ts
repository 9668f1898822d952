/** Lists of small integers, each stored once and known by its number. */

/** A hash table whose keys are lists; far smaller than a Map of strings. */
export class IntLists {
  /** How many lists there are; their numbers are below. */
  count = 0;
  private items = new Int32Array(1024);
  private begin = new Int32Array(256);
  private slots = new Int32Array(512).fill(-1);

  /** Total length of the lists. */
  get length(): number {
    return this.begin[this.count];
  }

  /** @returns the list with this number; a view, good until the next `intern`. */
  list(number: number): Int32Array {
    return this.items.subarray(this.begin[number], this.begin[number + 1]);
  }

  /** @returns the number of a list; a new one, the old count, if it was not known. */
  intern(list: Int32Array): number {
    if (this.count * 2 >= this.slots.length) this.rehash();
    const slot = this.slotOf(list);
    if (this.slots[slot] >= 0) return this.slots[slot];
    const end = this.length + list.length;
    if (end > this.items.length) this.items = grown(this.items, end);
    if (this.count + 2 > this.begin.length) this.begin = grown(this.begin, this.count + 2);
    this.items.set(list, this.length);
    this.begin[this.count + 1] = end;
    this.slots[slot] = this.count;
    return this.count++;
  }

  /** @returns the number of a list, or -1 if it is not known. */
  find(list: Int32Array): number {
    return this.slots[this.slotOf(list)];
  }

  private slotOf(list: Int32Array): number {
    const mask = this.slots.length - 1;
    let slot = hash(list) & mask;
    while (this.slots[slot] >= 0 && !this.equals(this.slots[slot], list)) slot = (slot + 1) & mask;
    return slot;
  }

  private equals(number: number, list: Int32Array): boolean {
    const from = this.begin[number];
    if (this.begin[number + 1] - from !== list.length) return false;
    for (let i = 0; i < list.length; i++) if (this.items[from + i] !== list[i]) return false;
    return true;
  }

  private rehash(): void {
    this.slots = new Int32Array(this.slots.length * 2).fill(-1);
    for (let number = 0; number < this.count; number++) {
      this.slots[this.slotOf(this.list(number))] = number;
    }
  }
}

function grown(array: Int32Array, least: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(least, array.length * 2));
  larger.set(array);
  return larger;
}

/** FNV-1a over whole numbers, stirred. */
function hash(list: Int32Array): number {
  let h = 0x811c9dc5;
  for (const item of list) h = Math.imul(h ^ item, 0x01000193);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return h ^ (h >>> 12);
}
