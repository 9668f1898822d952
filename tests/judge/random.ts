/** Seeded pseudo-random choices: a failing test names its seed and fails again with it. */

export interface Random {
  /** A whole number from 0 to n - 1. */
  below(n: number): number;
  pick<T>(from: readonly T[]): T;
  /** True once in n times. */
  once(n: number): boolean;
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** Mulberry32, a 32-bit generator of good enough quality for choosing test inputs. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (n: number) => Math.floor(next() / 2 ** 32 * n);
  return {
    below,
    pick: (from) => from[below(from.length)],
    once: (n) => below(n) === 0,
    bytes: (length) => new Uint8Array(length).map(() => next() >>> 24),
  };
}
