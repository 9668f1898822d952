/** An expression that is made to explode: an answer or an error that names its part, soon. */
import { assert, assertEquals } from "@std/assert";
import { EXPLODING } from "./exploding.ts";

const PROGRAM = new URL("./exploding.ts", import.meta.url).pathname;
/** What one expression may take: processor time, as others share the machine, and memory. */
const MOST_CPU_MS = 5000;
const MOST_KB = 256 * 1024;
/** After so long it hangs. */
const HANGS_MS = 90_000;

const REFUSALS =
  /^policy-(too-large: Cannot compile rule a: its|forbids-everything: Rule a|holds-back: a: )/;

/** Each begins in a process of its own, so that none uses what another one left. */
async function compiled(number: number, ignoreCase: boolean) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", PROGRAM, `${number}`, `${ignoreCase}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), HANGS_MS);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const what = `${EXPLODING[number].slice(0, 80)} ${ignoreCase}`;
  assertEquals(code, 0, `${what}: ${new TextDecoder().decode(stderr).slice(0, 500)}`);
  return { what, ...JSON.parse(new TextDecoder().decode(stdout)) } as {
    what: string;
    answer: string;
    cpuMs: number;
    peakKb: number;
  };
}

Deno.test("expressions made to explode: an answer or an error with its part, 5 s, 256 MB", async () => {
  const answers: string[] = [];
  for (const number of EXPLODING.keys()) {
    const { what, answer, cpuMs, peakKb } = await compiled(number, number % 2 === 0);
    assert(cpuMs < MOST_CPU_MS, `${what}: ${cpuMs} ms`);
    assert(peakKb < MOST_KB, `${what}: ${peakKb} kB`);
    assert(answer === "compiled" || REFUSALS.test(answer), `${what}: ${answer}`);
    answers.push(answer);
  }
  // Some of each kind, or it would not be told whether any was refused.
  for (const kind of ["compiled", "policy-too-large", "policy-forbids", "policy-holds-back"]) {
    assert(answers.filter((answer) => answer.startsWith(kind)).length > 2, kind);
  }
});
