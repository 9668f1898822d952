/** What the test runner prints. */
import type { Outcome } from "./execute.ts";

export interface Totals {
  passed: number;
  failed: number;
}

export function totalsOf(outcomes: Outcome[]): Totals {
  return outcomes.reduce(
    (sum, one) => ({ passed: sum.passed + one.passed, failed: sum.failed + one.failed }),
    { passed: 0, failed: 0 },
  );
}

/** @returns one line for a file, and under it what it printed when it failed. */
export function lineOf(outcome: Outcome): string {
  const counts = outcome.failed > 0
    ? `${outcome.passed} passed, ${outcome.failed} FAILED`
    : `${outcome.passed} passed`;
  const line = `${outcome.failed > 0 ? "FAIL" : "ok  "} ${outcome.name} ` +
    `(${counts}, ${outcome.seconds.toFixed(1)} s)`;
  if (outcome.failed === 0) return line;
  const reasons = outcome.reasons.map((reason) => `     ${outcome.name} ${reason}`);
  return [line, ...outcome.output.trimEnd().split("\n").map((text) => `   | ${text}`), ...reasons]
    .join("\n");
}

/** @returns the table of folders, with the seconds that their files took one by one. */
export function tableOf(outcomes: Outcome[]): string {
  const folders = new Map<string, Outcome[]>();
  for (const one of outcomes) folders.set(one.folder, [...folders.get(one.folder) ?? [], one]);
  const rows = [["time per folder", "files", "passed", "failed", "seconds"]];
  for (const [folder, inside] of folders) {
    const { passed, failed } = totalsOf(inside);
    const seconds = inside.reduce((sum, one) => sum + one.seconds, 0).toFixed(1);
    rows.push([folder, `${inside.length}`, `${passed}`, `${failed}`, seconds]);
  }
  const width = Math.max(...rows.map(([folder]) => folder.length));
  return rows.map(([folder, ...numbers]) =>
    folder.padEnd(width) + numbers.map((text) => text.padStart(9)).join("")
  ).join("\n");
}

/** @returns the names of the tests that failed, a line each; empty when none did. */
export function failuresOf(outcomes: Outcome[]): string {
  return outcomes.filter(({ failed }) => failed > 0).flatMap(({ name, output }) => {
    const tests = [...output.matchAll(/^(.+) \.\.\. FAILED\b/gm)].map(([, test]) => test);
    return tests.length > 0 ? tests.map((test) => `FAILED ${name}: ${test}`) : [`FAILED ${name}`];
  }).join("\n");
}
