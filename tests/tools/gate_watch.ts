/** Looks at an instance's tap again and again: up without a program on it is an open gate. */
import { assertEquals } from "@std/assert";
import { netnsExists, withNetns } from "../../ffi/netns.ts";
import { linkState } from "../../ffi/rtnetlink.ts";
import type { Instance } from "../../src/host/instance.ts";

const PERIOD_MS = 10;

export class GateWatch {
  /** How often it was looked at while the tap was up. */
  up = 0;
  /** When it stood open: milliseconds since this was made. */
  readonly open: number[] = [];
  private readonly begun = performance.now();
  private readonly timer: ReturnType<typeof setInterval>;
  private excused = false;

  constructor(private readonly instance: Instance) {
    this.timer = setInterval(() => this.look(), PERIOD_MS);
  }

  private look(): void {
    const { netns, tap } = this.instance;
    if (!netnsExists(netns)) return;
    const state = withNetns(netns, () => linkState(tap));
    if (!state?.up) return;
    this.up++;
    if (state.xdpProgramId === null) this.open.push(performance.now() - this.begun);
  }

  /** For tests that take the diode off a tap that is up: the gate stands open until that is seen. */
  excuse(): void {
    this.excused = true;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  assertNeverOpen(): void {
    if (!this.excused) assertEquals(this.open, [], "the tap was up without a diode");
  }
}
