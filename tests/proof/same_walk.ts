/**
 * Whether two pairs of maps make the program pass the same payloads, found by a search of its own:
 * `src/bpf/program_walk.ts` byte by byte, over the entries as they stand, rows or none.
 */

/** What the program reads of its maps. */
export interface DiodeMapValues {
  readonly table: Uint8Array<ArrayBuffer>;
  readonly config: Uint8Array<ArrayBuffer>;
}

const CLASSES = 2 * 65_793, KINDS = CLASSES + 256, LIMIT = 1536;

class Program {
  private readonly table: DataView;
  private readonly config: DataView;

  constructor({ table, config }: DiodeMapValues) {
    this.table = new DataView(table.buffer);
    this.config = new DataView(config.buffer);
  }

  get start() {
    return this.config.getUint16(28, true);
  }

  get walkBytes() {
    return this.config.getUint32(44, true);
  }

  next(state: number, byte: number): number {
    return this.table.getUint16(2 * (1 + state + this.table.getUint8(CLASSES + byte)), true);
  }

  decided(state: number): boolean {
    return state < this.config.getUint32(32, true);
  }

  /** Whether it may do as it likes: a group of bytes is walked or not, a decided state left. */
  unsure(state: number, byte: number): boolean {
    const calm = (this.table.getUint16(2 * state, true) & this.table.getUint8(KINDS + byte)) === 0;
    return (calm || this.decided(state)) && this.next(state, byte) !== state;
  }

  /** Whether a payload of so many bytes passes, whose walk ends in the state. */
  passes(state: number, bytes: number): boolean {
    if (bytes < this.config.getUint32(48, true) || bytes > this.config.getUint32(52, true)) {
      return false;
    }
    return this.decided(state) ? state !== 0 : state >= this.config.getUint32(36, true);
  }
}

/**
 * @returns whether both pass the same payloads of up to 1,536 bytes, and neither is unsure of any.
 * States are followed together, length by length, until nothing new comes.
 */
export function sameWalk(one: DiodeMapValues, other: DiodeMapValues): boolean {
  const [a, b] = [new Program(one), new Program(other)];
  if (a.walkBytes > LIMIT || b.walkBytes > LIMIT) return false;
  if (one.config[43] !== other.config[43]) return false;
  // Sizes and walks that stop make lengths matter; else a pair of states is looked at once.
  const lengths = [one, other].flatMap(({ config }) => {
    const view = new DataView(config.buffer);
    return [44, 48, 52].map((at) => view.getUint32(at, true)).filter((n) => n < LIMIT);
  });
  const matters = Math.max(-1, ...lengths) + 1;
  let layer = new Set([a.start * 65_536 + b.start]);
  const seen = new Set<number>();
  for (let bytes = 0; bytes <= LIMIT && layer.size > 0; bytes++) {
    const further = new Set<number>();
    for (const both of layer) {
      const [s, t] = [Math.floor(both / 65_536), both % 65_536];
      if (bytes > 0 && a.passes(s, bytes) !== b.passes(t, bytes)) return false;
      const [stopA, stopB] = [a, b].map(({ walkBytes }) => bytes >= walkBytes);
      for (let byte = 0; byte < 256; byte++) {
        if (!stopA && a.unsure(s, byte) || !stopB && b.unsure(t, byte)) return false;
        const to = (stopA || a.decided(s) ? s : a.next(s, byte)) * 65_536 +
          (stopB || b.decided(t) ? t : b.next(t, byte));
        if (bytes < matters || !seen.has(to)) further.add(to);
      }
    }
    if (bytes >= matters) { for (const both of further) seen.add(both); }
    layer = further;
  }
  return true;
}
