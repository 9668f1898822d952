/** What can fail where a user sees it: the code in brackets, what it means, and what to do. */
import type { Failure } from "./failure.ts";
import { GATE, MACHINE } from "./failures_gate.ts";
import { COMMAND_LINE, EXCHANGES, INSTALLATION, STARTING } from "./failures_use.ts";

/** Under headings, in the order in which people meet them. */
export const FAILURES: readonly (readonly [title: string, failures: readonly Failure[]])[] = [
  ["Starting", STARTING],
  ["The gate", GATE],
  ["The virtual machine and its model", MACHINE],
  ["Requests and receipts", EXCHANGES],
  ["Installing", INSTALLATION],
  ["The command line", COMMAND_LINE],
];

/** @returns the entry of a code, or undefined. */
export function failureOf(code: string): Failure | undefined {
  return FAILURES.flatMap(([, failures]) => failures).find(({ codes }) =>
    codes.some((one) =>
      one === code || (one.endsWith("*") && code.startsWith(one.slice(0, -1)) && code !== one)
    )
  );
}

/** @returns every code that has an entry. */
export function failureCodes(): string[] {
  return FAILURES.flatMap(([, failures]) => failures.flatMap(({ codes }) => codes));
}
