/** Looks at the program on a box's tap without pause: is there ever none? */
import type { Box } from "./daemon.ts";

export class ProgramWatch implements Disposable {
  /** How often it was looked. */
  looks = 0;
  /** How often there was no program on a tap that was up. */
  gaps = 0;
  /** Ids of all programs that were seen. */
  readonly seen = new Set<number>();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(private readonly box: Box) {
    this.timer = setInterval(() => this.look(), 1);
  }

  /** The program's id now. */
  get present(): number | null {
    return this.box.tap()?.xdpProgramId ?? null;
  }

  private look(): void {
    const tap = this.box.tap();
    if (!tap?.up) return;
    this.looks++;
    if (tap.xdpProgramId === null || tap.xdpProgramId === 0) this.gaps++;
    else this.seen.add(tap.xdpProgramId);
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }
}
