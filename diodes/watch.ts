/** Looks after a raised diode: every second, and whenever an interface of its namespace changes. */
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";

/** Tells that something may have changed (`LinkEvents` of `ffi/rtnetlink.ts`). */
export interface ChangeEvents {
  /** @returns true when something changed, false when the time was up. */
  wait(ms: number): Promise<boolean>;
}

export interface WatchInit {
  guard: { check(): void };
  events: ChangeEvents;
  /** Ends the watch. */
  signal: AbortSignal;
  /** The caller's own checks, after the guard's; throws when something is not as it should be. */
  extra?: () => void | Promise<void>;
  /** Called once, with what was found; the watch is over then. */
  onLost: (error: VeiError) => void;
  /** Between two looks when nothing changes; default 1000. */
  periodMs?: number;
}

/** Between two looks at least: whoever holds the tap can make changes without end. */
const GAP_MS = 20;
/** How long an ended signal may go unseen. */
const SLICE_MS = 250;

/**
 * Guards against mistakes, not against root: what holds CAP_NET_ADMIN or CAP_BPF is trusted, but may
 * err. Nothing found wrong is passed over or tried again: the first failure ends the watch.
 * @returns when `signal` ended, or after `onLost` was called. Never rejects but by `onLost` throwing.
 */
export async function watchGuard(init: WatchInit): Promise<void> {
  const { guard, events, signal, extra, onLost, periodMs = 1000 } = init;
  while (!signal.aborted) {
    try {
      guard.check();
      await extra?.();
      await new Promise((resolve) => setTimeout(resolve, GAP_MS));
      await change(events, signal, periodMs);
    } catch (cause) {
      // Also when looking itself fails: what cannot be seen is not taken for right.
      if (!signal.aborted) onLost(asLost(cause));
      return;
    }
  }
}

/** Waits for a change, the end of the period or of the watch. */
async function change(events: ChangeEvents, signal: AbortSignal, periodMs: number): Promise<void> {
  for (let left = periodMs; left > 0 && !signal.aborted; left -= SLICE_MS) {
    if (await events.wait(Math.min(left, SLICE_MS))) return;
  }
}

function asLost(cause: unknown): VeiError {
  if (cause instanceof VeiError) return cause;
  return new VeiError({
    code: "diode-lost",
    message: `The diode cannot be watched: ${messageOf(cause)}`,
    hint: "`vei serve` raises it again",
    exit: Exit.unavailable,
    cause,
  });
}
