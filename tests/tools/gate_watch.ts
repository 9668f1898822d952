/**
 * Watches an instance's tap from outside: up without a program on it is an open gate, and so is a
 * frame that the host's network stack was given although the rules forbid it. The rules are read by
 * the judge, which shares nothing with what it judges.
 */
import { assertEquals } from "@std/assert";
import { netnsExists, withNetns } from "../../ffi/netns.ts";
import { PacketSocket } from "../../ffi/packet_socket.ts";
import { linkState } from "../../ffi/rtnetlink.ts";
import { messageOf } from "../../src/base/errors.ts";
import { judgeLink } from "../judge/link_rules.ts";
import { judgeHateless } from "../kernel/expected.ts";
import { LINK } from "../kernel/frames.ts";

const PERIOD_MS = 10;

export class GateWatch implements Disposable {
  /** How often it was looked at while the tap was up. */
  up = 0;
  /** How many frames the host was given. */
  heard = 0;
  /** When it stood open: milliseconds since this was made, and what was seen. */
  readonly open: string[] = [];
  private readonly begun = performance.now();
  private readonly timer: ReturnType<typeof setInterval>;
  private ear: { socket: PacketSocket; ifindex: number } | null = null;
  private excused = false;

  constructor(private readonly place: { netns: string; tap: string }) {
    this.timer = setInterval(() => this.look(), PERIOD_MS);
  }

  /** Looks once; called by itself every few milliseconds. */
  look(): void {
    try {
      this.listen();
      if (!netnsExists(this.place.netns)) return;
      const state = withNetns(this.place.netns, () => {
        const state = linkState(this.place.tap);
        if (state && state.tun && state.index !== this.ear?.ifindex) this.hear(state.index);
        return state;
      });
      if (!state?.up) return;
      this.up++;
      if (state.xdpProgramId === null) this.tell("up without a program");
    } catch (cause) {
      // A namespace may go between two calls; what else cannot be seen is not taken for shut.
      if (netnsExists(this.place.netns)) this.tell(`cannot be looked at: ${messageOf(cause)}`);
    }
  }

  private hear(ifindex: number): void {
    this.ear?.socket[Symbol.dispose]();
    this.ear = { socket: PacketSocket.open(ifindex), ifindex };
  }

  private listen(): void {
    for (let frame; (frame = this.receive()) !== null;) {
      this.heard++;
      const verdict = judgeLink(frame, LINK);
      if ("drop" in verdict) this.tell(`a frame passed that breaks the rule ${verdict.drop}`);
      else if (judgeHateless(verdict.payload) !== null) this.tell("the word passed");
    }
  }

  private receive(): Uint8Array | null {
    try {
      return this.ear?.socket.receive() ?? null;
    } catch {
      // ENETDOWN is told once when the interface goes down or away.
      return null;
    }
  }

  private tell(what: string): void {
    this.open.push(`${Math.round(performance.now() - this.begun)} ms: ${what}`);
  }

  /** For tests that take the diode off a tap that is up: the gate stands open until that is seen. */
  excuse(): void {
    this.excused = true;
  }

  stop(): void {
    this.look();
    clearInterval(this.timer);
    this.ear?.socket[Symbol.dispose]();
    this.ear = null;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  assertNeverOpen(): void {
    if (!this.excused) assertEquals(this.open, [], "the gate was open");
  }
}
