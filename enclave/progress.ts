/** How long work tells a person what it does. */
export interface Progress {
  /** Announces a step, does it, and says how long it took. */
  step<T>(what: string, work: () => Promise<T>): Promise<T>;
  /** A remark between steps. */
  note(line: string): void;
}

/** @returns one that says nothing. */
export function silentProgress(): Progress {
  return { step: (_what, work) => work(), note: () => {} };
}

/**
 * @param say takes one line.
 * @param now a monotonic clock in milliseconds.
 */
export function lineProgress(say: (line: string) => void, now: () => number): Progress {
  return {
    async step(what, work) {
      const began = now();
      say(`${what} …`);
      const result = await work();
      say(`${what}: ${((now() - began) / 1000).toFixed(1)} s`);
      return result;
    },
    note: say,
  };
}
