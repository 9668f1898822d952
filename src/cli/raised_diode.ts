/** One diode as the daemon raised it, from then on until its last counters were read. */
import type { Guard } from "../../diodes/manager.ts";
import type { ProvenDiode } from "../../diodes/proof.ts";

export class RaisedDiode implements Disposable {
  private final: Record<string, number> | null = null;
  private next: RaisedDiode | null = null;

  /** @param guard owned from now on. @param plan what is said of it; its tables are the guard's. */
  constructor(readonly guard: Guard, public plan: ProvenDiode) {}

  /** @returns frames by reason, also after the end: then the last that there were. */
  counters(): Record<string, number> {
    return this.final ?? this.guard.counters();
  }

  /** @param next has been put in its place. */
  replacedBy(next: RaisedDiode): void {
    this.next = next;
  }

  /** The diodes that came after it, in their order. */
  *successors(): Generator<RaisedDiode> {
    for (let one = this.next; one !== null; one = one.next) yield one;
  }

  /** Nobody may be waiting for its ring any more. */
  [Symbol.dispose](): void {
    this.final ??= this.guard.counters();
    this.guard[Symbol.dispose]();
  }
}
