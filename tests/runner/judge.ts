/** From how a test process ended to how many tests passed and failed. Nothing is counted as passed
 * that did not say so itself. */

/** How `deno test` ended. */
export interface Ending {
  code: number;
  signal: string | null;
  /** It was killed at its deadline of this many seconds. */
  timedOutAfter: number | null;
  /** Its report in JUnit's form, or null when it wrote none. */
  report: string | null;
  /** The command lines of processes that it left behind. */
  leftBehind: string[];
}

export interface Verdict {
  passed: number;
  failed: number;
  /** What is wrong besides the tests that failed by themselves. */
  reasons: string[];
}

interface Counts {
  tests: number;
  failed: number;
  skipped: number;
}

/** @returns the sums over the suites; text inside a report is escaped, so a tag is a tag. */
function countsOf(report: string): Counts {
  const counts = { tests: 0, failed: 0, skipped: 0 };
  for (const [tag] of report.matchAll(/<testsuite\s[^>]*>/g)) {
    const number = (name: string) => Number(tag.match(` ${name}="([0-9]+)"`)?.[1] ?? NaN);
    counts.tests += number("tests");
    counts.failed += number("failures") + number("errors");
    counts.skipped += number("disabled");
  }
  return counts;
}

/** One test of a file. */
export interface Case {
  name: string;
  passed: boolean;
  seconds: number;
}

const ENTITIES: Record<string, string> = { quot: '"', apos: "'", lt: "<", gt: ">", amp: "&" };

/** @returns the tests that a report names, in its order. */
export function casesOf(report: string): Case[] {
  const cases: Case[] = [];
  for (const [, head, inside] of report.matchAll(CASE)) {
    const attribute = (name: string) =>
      (head.match(` ${name}="([^"]*)"`)?.[1] ?? "")
        .replace(/&(quot|apos|lt|gt|amp);/g, (_, entity) => ENTITIES[entity]);
    const passed = !/<(failure|error|skipped)\b/.test(inside ?? "");
    cases.push({ name: attribute("name"), passed, seconds: Number(attribute("time")) });
  }
  return cases;
}

const CASE = /<testcase( [^>]*?)(?:\/>|>([^]*?)<\/testcase>)/g;

/** @returns the counts of one test file; there is always at least one test, passed or failed. */
export function judge(ending: Ending): Verdict {
  const reasons: string[] = [];
  const how = ending.signal ? `signal ${ending.signal}` : `exit code ${ending.code}`;
  const counts = ending.report === null ? null : countsOf(ending.report);
  if (ending.timedOutAfter !== null) {
    reasons.push(`did not end within ${ending.timedOutAfter} s, and was killed`);
  } else if (counts === null) {
    reasons.push(`ended without a report, with ${how}: a crash or a type error`);
  } else if (!Number.isSafeInteger(counts.tests + counts.failed + counts.skipped)) {
    reasons.push("its report cannot be read");
  } else if (counts.tests === 0) {
    reasons.push(ending.code === 0 ? "has no test in it" : `failed before its tests, with ${how}`);
  } else if (counts.failed === 0 && ending.code !== 0) {
    reasons.push(`every test passed, but it ended with ${how}`);
  }
  for (const line of ending.leftBehind) reasons.push(`left a process behind: ${line}`);
  const known = counts && Number.isSafeInteger(counts.tests + counts.failed + counts.skipped)
    ? counts
    : { tests: 0, failed: 0, skipped: 0 };
  // A test that did not run has shown nothing.
  if (known.skipped > 0) reasons.push(`${known.skipped} skipped`);
  const others = reasons.length - (known.skipped > 0 ? 1 : 0);
  return {
    passed: known.tests - known.failed - known.skipped,
    failed: known.failed + known.skipped + others,
    reasons,
  };
}
