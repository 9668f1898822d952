/**
 * Sets of payloads, by what of them may still come after some bytes. Equal ones are one object.
 * Bytes that lead on alike are one class (S. Owens, J. Reppy, A. Turon, 2009).
 */
import { refuse } from "../refusal.ts";
import { BYTES, once } from "./once.ts";

export interface Residual {
  readonly id: number;
  /** Whether the payload may end here. */
  readonly accepts: boolean;
  /** What may still come after each class of bytes. */
  readonly row: () => { readonly classes: ByteClasses; readonly next: readonly Residual[] };
}

interface ByteClasses {
  readonly id: number;
  readonly classOf: Uint8Array;
  /** A byte of each class. */
  readonly samples: readonly number[];
}

/** More than any table's pairs need: beyond, the answer is no. */
const MOST = 400_000;

export class Residuals {
  private readonly interned = new Map<string, Residual>();
  private readonly classes = new Map<string, ByteClasses>();
  private readonly joined = new Map<number, ByteClasses>();
  private readonly complements = new Map<Residual, Residual>();
  private readonly conjuncts = new Map<Residual, readonly Residual[]>();
  readonly never: Residual = this.atom("never", false, () => 0, () => this.never);
  readonly always: Residual = this.atom("always", true, () => 0, () => this.always);

  /** @returns what may still come after the byte. */
  after(residual: Residual, byte: number): Residual {
    const { classes, next } = residual.row();
    return next[classes.classOf[byte]];
  }

  /** @param label the same for bytes that lead on alike; `step` what may still come after one. */
  atom(
    key: string,
    accepts: boolean,
    label: (byte: number) => unknown,
    step: (byte: number) => Residual,
  ): Residual {
    return this.make(key, accepts, () => this.classesBy(BYTES.map(label)), step);
  }

  not(one: Residual): Residual {
    if (one === this.never) return this.always;
    if (one === this.always) return this.never;
    const made = once(this.complements, one, () => {
      const step = (byte: number) => this.not(this.after(one, byte));
      return this.make(`not ${one.id}`, !one.accepts, () => one.row().classes, step);
    });
    this.complements.set(made, one);
    return made;
  }

  and(all: readonly Residual[]): Residual {
    const flat = all.flatMap((one) => this.conjuncts.get(one) ?? [one]);
    const parts = [...new Set(flat)].filter((one) => one !== this.always);
    if (parts.includes(this.never)) return this.never;
    if (parts.length < 2) return parts[0] ?? this.always;
    parts.sort((a, b) => a.id - b.id);
    const made = this.make(
      `and ${parts.map(({ id }) => id)}`,
      parts.every(({ accepts }) => accepts),
      () => parts.map((part) => part.row().classes).reduce((a, b) => this.join(a, b)),
      (byte) => this.and(parts.map((part) => this.after(part, byte))),
    );
    this.conjuncts.set(made, parts);
    return made;
  }

  private make(
    key: string,
    accepts: boolean,
    classesOf: () => ByteClasses,
    step: (byte: number) => Residual,
  ): Residual {
    return once(this.interned, key, () => {
      const id = this.interned.size;
      if (id >= MOST) throw refuse("predicate", `more than ${MOST} things may still come by it`);
      let row: ReturnType<Residual["row"]> | undefined;
      const compute = () => {
        const classes = classesOf();
        return { classes, next: classes.samples.map(step) };
      };
      return { id, accepts, row: () => row ??= compute() };
    });
  }

  private classesBy(labels: readonly unknown[]): ByteClasses {
    const samples = [...new Map(labels.map((label, byte) => [label, byte])).values()];
    const numbers = new Map(samples.map((byte, i) => [labels[byte], i]));
    const classOf = Uint8Array.from(labels, (label) => numbers.get(label)!);
    return once(this.classes, classOf.join(), () => ({ id: this.classes.size, classOf, samples }));
  }

  /** @returns the coarsest classes that tell apart what either tells apart. */
  private join(a: ByteClasses, b: ByteClasses): ByteClasses {
    return once(
      this.joined,
      a.id * MOST + b.id,
      () => this.classesBy(BYTES.map((byte) => a.classOf[byte] * 256 + b.classOf[byte])),
    );
  }
}
