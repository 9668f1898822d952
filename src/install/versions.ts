/** Programs and their versions, asked of the programs themselves. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { run } from "../host/run.ts";

const ANSWER_MS = 30_000;

/**
 * @returns what a program says to `version --json`.
 * @throws VeiError `not-vei` when it does not run, or is another program or a damaged one.
 */
export async function versionOf(program: string): Promise<string> {
  try {
    const { code, signal, stdout, stderr, timedOut } = await run(program, ["version", "--json"], {
      timeoutMs: ANSWER_MS,
    });
    if (timedOut) throw new Error(`no answer to \`version\` within ${ANSWER_MS / 1000} s`);
    if (code !== 0) throw new Error(`ends with ${signal ?? code}: ${stderr.trim().slice(0, 200)}`);
    const { vei } = JSON.parse(new TextDecoder().decode(stdout));
    if (typeof vei !== "string") throw new Error("it names no version");
    parts(vei);
    return vei;
  } catch (cause) {
    throw new VeiError({
      code: "not-vei",
      message: `This is no vei that works: ${messageOf(cause)}`,
      hint: "nothing was changed; download the file again, and give its digest with --sha256",
      exit: Exit.data,
      cause,
    });
  }
}

/**
 * @returns less than 0, 0, more than 0: whether `a` is older than, as old as, newer than `b`. What
 * stands behind a hyphen makes a version older than the one without (Semantic Versioning 2.0.0, §11).
 * @throws SyntaxError when one of them is no version.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (let at = 0; at < 3; at++) {
    if (left.numbers[at] !== right.numbers[at]) return left.numbers[at] - right.numbers[at];
  }
  if (left.rest === right.rest) return 0;
  if (left.rest === "" || right.rest === "") return left.rest === "" ? 1 : -1;
  return left.rest < right.rest ? -1 : 1;
}

function parts(version: string): { numbers: number[]; rest: string } {
  const match = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]+))?$/.exec(version);
  if (!match) throw new SyntaxError(`${JSON.stringify(version)} is no version`);
  return { numbers: match.slice(1, 4).map(Number), rest: match[4] ?? "" };
}
