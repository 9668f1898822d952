/** What programs of random steps share: their registers, numbers at the edges, jumps, lost registers. */
import { label, type Line } from "../../src/bpf/assembler.ts";
import { jump, mov, type Register, type Width } from "../../src/bpf/isa.ts";
import type { Random } from "../judge/random.ts";

export const WIDTHS: readonly Width[] = [1, 2, 4, 8];
const LOST_IN_CALLS: readonly Register[] = ["r1", "r2", "r3", "r4", "r5"];
/** Registers with numbers; r6 the frame, r7 a map's value, r8 the frame's end, r10 the stack. */
export const NUMBERS: readonly Register[] = ["r0", ...LOST_IN_CALLS, "r9"];

/** The steps of one program. */
export class RandomSteps {
  private labels = 0;
  /** Places that jumps go to, and how many steps are left until there. */
  private readonly open: { name: string; left: number }[] = [];

  constructor(private readonly random: Random) {}

  /** @returns a register with a number. */
  readonly number = (): Register => this.random.pick(NUMBERS);

  /** @returns any number of 32 bits, or a small one. */
  readonly constant = (): number =>
    this.random.once(2)
      ? this.random.below(0x1_0000_0000) - 0x8000_0000
      : this.random.below(70) - 2;

  /** @returns a label that this program has only once. */
  place(): string {
    return `after ${this.labels++}`;
  }

  /** @returns the label of a place that comes a few steps later. */
  readonly target = (): string => {
    const name = this.place();
    this.open.push({ name, left: 1 + this.random.below(6) });
    return name;
  };

  /** What a call returns is the kernel's own, and the other registers are lost: numbers for them. */
  afterCall(): Line[] {
    return (["r0", ...LOST_IN_CALLS] as const).map((register) => mov(register, this.constant()));
  }

  /** What a jump leaps over nothing else may reach, and the verifier refuses that: it goes to the next. */
  jumpToNext(): Line[] {
    const next = this.place();
    return [jump(next), label(next)];
  }

  /** @returns so many steps, with the places that jumps of theirs go to. */
  list(length: number, one: () => Line[]): Line[] {
    const { open } = this;
    const lines: Line[] = [];
    for (let i = 0; i < length; i++) {
      for (const ready of open.filter((place) => place.left-- === 0)) {
        lines.push(label(ready.name));
        open.splice(open.indexOf(ready), 1);
      }
      lines.push(...one());
    }
    return [...lines, ...open.splice(0).map(({ name }) => label(name))];
  }
}
