/**
 * Runs the tests: `deno run -A tests/run.ts [--deadline=SECONDS] [PATH…]`, from the top of the tree.
 * Without a path: the format, lint and type checks, then every test, then the pure parts once more
 * on the newest Deno. The last line is `N passed, N failed`; exit 1 unless all passed.
 */
import { matrixOf, matrixText } from "./faults/table.ts";
import { findTests, isPure, mayRunInParallel } from "./runner/discover.ts";
import { type Outcome, runCheck, runPool, runTest, type Toolset } from "./runner/execute.ts";
import { newestDeno } from "./runner/newest.ts";
import { killAll } from "./runner/process.ts";
import { failuresOf, lineOf, tableOf, totalsOf } from "./runner/report.ts";

const outcomes: Outcome[] = [];

function done(outcome: Outcome): void {
  outcomes.push(outcome);
  console.log(lineOf(outcome));
}

function stop(): void {
  killAll();
  Deno.exit(130);
}
Deno.addSignalListener("SIGINT", stop);
Deno.addSignalListener("SIGTERM", stop);

const paths = Deno.args.filter((word) => !word.startsWith("--"));
const deadline = Number(
  Deno.args.find((word) => word.startsWith("--deadline="))?.slice("--deadline=".length) ?? 600,
);
const pinned: Toolset = {
  deno: Deno.execPath(),
  env: { NO_COLOR: "1", RUST_BACKTRACE: "0", DENO_NO_UPDATE_CHECK: "1" },
  lock: Deno.env.get("CI") ? ["--frozen"] : [],
  label: "",
};
const files = await findTests(paths.map((path) => path.replace(`${Deno.cwd()}/`, "")));
const whole = paths.length === 0;
const width = navigator.hardwareConcurrency;

async function runFiles(some: string[], tools: Toolset, typeCheck: boolean): Promise<void> {
  const run = (file: string) => runTest(file, tools, { typeCheck, deadline });
  await runPool(some.filter(mayRunInParallel), width, run, done);
  await runPool(some.filter((file) => !mayRunInParallel(file)), 1, run, done);
}

/** Format, lint and types, each counted as a test. @returns whether the types are right. */
async function runChecks(tools: Toolset, format: boolean): Promise<boolean> {
  if (format) done(await runCheck(["fmt", "--check"], tools));
  done(await runCheck(["lint"], tools));
  const types = await runCheck(["check", ...tools.lock], tools);
  done(types);
  return types.failed === 0;
}

if (whole) {
  const right = await runChecks(pinned, true);
  // Where the types are wrong, each file's own check tells which files are concerned.
  await runFiles(files, pinned, !right);
  const newest = await newestDeno(pinned);
  if ("outcome" in newest) {
    done(newest.outcome);
  } else {
    await runChecks(newest.tools, false);
    await runFiles(files.filter(isPure), newest.tools, false);
    await Deno.remove(newest.lock);
  }
} else if (files.length > 0) {
  const types = await runCheck(["check", ...pinned.lock, ...files], pinned);
  await runFiles(files, pinned, types.failed > 0);
}

const matrix = matrixOf(outcomes);
if (matrix.rows.length > 0) console.log(`\n${matrixText(matrix)}`);
const totals = totalsOf(outcomes);
const passed = totals.passed;
// A row whose test did not run has shown nothing.
const failed = totals.failed + matrix.notRun;
const failures = failuresOf(outcomes);
console.log(
  `\n${tableOf(outcomes)}\n${failures && `\n${failures}\n`}\n${passed} passed, ${failed} failed`,
);
Deno.exit(failed > 0 || passed === 0 ? 1 : 0);
