/** The fault matrix with what came of it, for the end of a run. */
import type { Case } from "../runner/judge.ts";
import { ELSEWHERE, ROWS } from "./matrix.ts";

export interface Result {
  fault: string;
  done: string;
  /** `ok`, `FAILED`, or `NOT RUN` where the file was run without that test. */
  outcome: string;
  seconds: number | null;
}

export interface Matrix {
  rows: Result[];
  notRun: number;
}

/** @param ran test files that were run, with their tests. @returns the rows that are in them. */
export function matrixOf(ran: readonly { name: string; cases: readonly Case[] }[]): Matrix {
  const rows: Result[] = [];
  const all = [
    ...Object.entries(ROWS).map(([fault, row]) => ({ fault, test: fault, ...row })),
    ...ELSEWHERE,
  ];
  for (const { fault, test, done, file } of all) {
    const outcome = ran.find(({ name }) => name === file);
    if (!outcome) continue;
    const found = outcome.cases.find(({ name }) => name === test);
    rows.push({
      ...{ fault, done, seconds: found?.seconds ?? null },
      outcome: found === undefined ? "NOT RUN" : found.passed ? "ok" : "FAILED",
    });
  }
  return { rows, notRun: rows.filter(({ outcome }) => outcome === "NOT RUN").length };
}

/** @returns the table as text. */
export function matrixText({ rows }: Matrix): string {
  const lines = [["fault", "what is done", "outcome", "seconds"]];
  for (const { fault, done, outcome, seconds } of rows) {
    lines.push([fault, done, outcome, seconds === null ? "-" : seconds.toFixed(1)]);
  }
  const widths = [0, 1, 2].map((at) => Math.max(...lines.map((line) => line[at].length)));
  return lines.map((line) =>
    line.map((text, at) => at < 3 ? text.padEnd(widths[at]) : text.padStart(7)).join("  ")
  ).join("\n");
}
