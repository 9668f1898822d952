/** An exchange that has ended, as an event for people: its receipt and its verdict, no text. */
import type { Verdict } from "../receipt/statement.ts";
import type { NewGateEvent } from "./hub.ts";

/** @param now the clock. */
export function exchangeEvent(
  { id, verdict }: { id: string; verdict: Verdict },
  now: Date,
): NewGateEvent {
  const message = `exchange ${id} ${verdictWords(verdict)}`;
  return { time: now.toISOString(), kind: "exchange", message };
}

/** @returns what became of an exchange, e.g. `aborted by the monitor: rule hate at byte 12`. */
export function verdictWords(verdict: Verdict): string {
  switch (verdict.outcome) {
    case "completed":
      return `completed (${verdict.finish})`;
    case "aborted":
      return `aborted by the ${verdict.by}: rule ${verdict.rule}${at(verdict.offset)}`;
    case "refused":
      return `refused: rule ${verdict.rule}${at(verdict.offset)}`;
    case "interrupted":
      return `interrupted: ${verdict.why}`;
  }
}

function at(offset: number | null): string {
  return offset === null ? "" : ` at byte ${offset}`;
}
