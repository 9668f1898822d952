/** Running totals of the exchanges since the process began. */
import type { Verdict } from "../receipt/statement.ts";

/** One exchange that has its receipt. */
export interface ExchangeEnd {
  readonly verdict: Verdict;
  /** Content tokens that the model sent. */
  readonly tokens: number;
  /** Bytes of content that the model sent. */
  readonly received: number;
  /** Bytes of content that went to the user. */
  readonly released: number;
}

const VERDICTS = [
  "completed",
  "aborted_by_monitor",
  "aborted_by_kernel",
  "refused",
  "interrupted",
] as const;

export class ExchangeTotals {
  /** How many ended in each way. */
  readonly verdicts: Record<typeof VERDICTS[number], number> = {
    completed: 0,
    aborted_by_monitor: 0,
    aborted_by_kernel: 0,
    refused: 0,
    interrupted: 0,
  };
  tokens = 0;
  released = 0;
  /** Bytes that the model sent and nobody got. */
  withheld = 0;

  add({ verdict, tokens, received, released }: ExchangeEnd): void {
    const { outcome } = verdict;
    this.verdicts[outcome === "aborted" ? (`aborted_by_${verdict.by}` as const) : outcome]++;
    this.tokens += tokens;
    this.released += released;
    this.withheld += received - released;
  }
}
