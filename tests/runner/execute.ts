/** Runs test files, each in a `deno test` of its own: a crash or a hang costs that file only. */
import { folderOf } from "./discover.ts";
import { type Case, casesOf, judge, type Verdict } from "./judge.ts";
import { runToEnd } from "./process.ts";

/** Which Deno, and how. */
export interface Toolset {
  deno: string;
  /** Added to the environment. */
  env: Record<string, string>;
  /** For the subcommands that read the lock file: `--frozen`, another lock file. */
  lock: string[];
  /** Stands before each name when it is not the pinned Deno. */
  label: string;
}

export interface Outcome extends Verdict {
  name: string;
  folder: string;
  seconds: number;
  /** Its tests, one by one. */
  cases: Case[];
  /** What it printed; shown when it failed. */
  output: string;
}

/** Runs one test file. `typeCheck` is off when `deno check` has already passed it. */
export async function runTest(
  file: string,
  tools: Toolset,
  options: { typeCheck: boolean; deadline: number },
): Promise<Outcome> {
  const folder = await Deno.makeTempDir({ prefix: "vei-tests-" });
  const path = `${folder}/report.xml`;
  try {
    const args = ["test", "-A", ...tools.lock, `--junit-path=${path}`];
    if (!options.typeCheck) args.push("--no-check");
    const ended = await runToEnd(tools.deno, [...args, file], tools.env, options.deadline);
    const report = await Deno.readTextFile(path).catch(() => null);
    const verdict = judge({
      code: ended.code,
      signal: ended.signal,
      timedOutAfter: ended.timedOut ? options.deadline : null,
      report,
      leftBehind: ended.leftBehind,
    });
    const { output, seconds } = ended;
    return {
      ...verdict,
      name: tools.label + file,
      folder: tools.label + folderOf(file),
      cases: casesOf(report ?? ""),
      seconds,
      output,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs one check (`deno fmt --check`, …): counted as one test. */
export async function runCheck(args: string[], tools: Toolset): Promise<Outcome> {
  const ended = await runToEnd(tools.deno, args, tools.env, 600);
  const passed = ended.code === 0;
  return {
    name: `${tools.label}deno ${args[0]}`,
    folder: `${tools.label}checks`,
    passed: passed ? 1 : 0,
    failed: passed ? 0 : 1,
    cases: [],
    reasons: passed ? [] : [ended.timedOut ? "did not end" : `exit code ${ended.code}`],
    seconds: ended.seconds,
    // Progress is no news: the newer versions print a line for each file.
    output: ended.output.replace(/^(Check|Download|Checked) .*\n/gm, ""),
  };
}

/** Runs jobs, at most `width` at a time, and hands each outcome on as it comes. */
export async function runPool<T>(
  jobs: T[],
  width: number,
  run: (job: T) => Promise<Outcome>,
  done: (outcome: Outcome) => void,
): Promise<void> {
  const queue = [...jobs];
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) done(await run(job));
  };
  await Promise.all(Array.from({ length: width }, worker));
}
