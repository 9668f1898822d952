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

export interface ByteClasses {
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
  private readonly alike = () => this.classesBy(() => 0);
  readonly never: Residual = this.make("never", false, this.alike, () => this.never);
  readonly always: Residual = this.make("always", true, this.alike, () => this.always);

  /** @returns what may still come after the byte. */
  after(residual: Residual, byte: number): Residual {
    const { classes, next } = residual.row();
    return next[classes.classOf[byte]];
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

  and(left: Residual, right: Residual): Residual {
    if (left === this.never || right === this.always || left === right) return left;
    if (right === this.never || left === this.always) return right;
    return this.make(
      `and ${left.id} ${right.id}`,
      left.accepts && right.accepts,
      () => this.join(left.row().classes, right.row().classes),
      (byte) => this.and(this.after(left, byte), this.after(right, byte)),
    );
  }

  /**
   * @param key tells it from all others.
   * @param classesOf bytes of a class lead on alike.
   * @param step what may still come after a byte.
   */
  make(
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

  /** @param label the same for bytes of a class. */
  classesBy(label: (byte: number) => unknown): ByteClasses {
    const numbers = new Map<unknown, number>();
    const samples: number[] = [];
    const classOf = Uint8Array.from(
      BYTES,
      (byte) => once(numbers, label(byte), () => samples.push(byte) - 1),
    );
    const key = String.fromCharCode(...classOf);
    return once(this.classes, key, () => ({ id: this.classes.size, classOf, samples }));
  }

  /** @returns the coarsest classes that tell apart what either tells apart. */
  private join(a: ByteClasses, b: ByteClasses): ByteClasses {
    return once(
      this.joined,
      a.id * MOST + b.id,
      () => this.classesBy((byte) => a.classOf[byte] * 256 + b.classOf[byte]),
    );
  }
}
