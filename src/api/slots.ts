/** The model's slots and the bounded queue before them. */
import { Exit, VeiError } from "../base/errors.ts";

interface Waiting {
  take(): void;
}

export class Slots {
  private taken = 0;
  private readonly queue: Waiting[] = [];

  /** @param count runs at once. @param maxQueue how many may wait. */
  constructor(private readonly count: number, public maxQueue: number) {}

  /** How many run. */
  get running(): number {
    return this.taken;
  }

  /** How many wait. */
  get waiting(): number {
    return this.queue.length;
  }

  /**
   * @param signal gives up waiting.
   * @returns the slot; disposing of it gives it back.
   * @throws VeiError `queue-full` at once; the signal's reason.
   */
  async acquire(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.taken < this.count) this.taken++;
    else await this.wait(signal);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.release();
        held = false;
      },
    };
  }

  private wait(signal: AbortSignal): Promise<void> {
    if (this.queue.length >= this.maxQueue) {
      throw new VeiError({
        code: "queue-full",
        message: `All slots are busy and ${this.maxQueue} requests are waiting`,
        hint: "try again later, or raise [api] max_queue",
        exit: Exit.tryAgain,
      });
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.queue.splice(this.queue.indexOf(waiting), 1);
        reject(signal.reason);
      };
      const waiting = {
        take() {
          signal.removeEventListener("abort", leave);
          resolve();
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.queue.push(waiting);
    });
  }

  private release(): void {
    const next = this.queue.shift();
    if (next) next.take();
    else this.taken--;
  }
}
