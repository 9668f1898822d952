/** How much memory the compiled program takes, at most, for what is run often or on small machines. */
import { assert, assertEquals } from "@std/assert";
import { compiledProgram } from "./compiled.ts";

/** Runs a program, and says what it had resident at its peak, in KiB (getrusage(2)). */
const MEASURE = "import resource, subprocess, sys; " +
  "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); " +
  "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";

/** By the command: MiB. */
const MOST: Record<string, number> = {
  "version": 80,
  "diode verify --all": 120,
};

/** How much of V8's compiler runs beside it differs, and with it what one run takes. */
const RUNS = 5;

async function peakMiB(program: string, command: string): Promise<number> {
  const { code, stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", MEASURE, program, ...command.split(" ")],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return Number(new TextDecoder().decode(stdout)) / 1024;
}

for (const [command, most] of Object.entries(MOST)) {
  Deno.test(`vei ${command}: less than ${most} MiB`, async () => {
    const program = await compiledProgram();
    const peaks: number[] = [];
    for (let i = 0; i < RUNS; i++) peaks.push(await peakMiB(program, command));
    const median = peaks.sort((a, b) => a - b)[RUNS >> 1];
    assert(median > 1 && median < most, `MiB: ${peaks.map((peak) => peak.toFixed(0)).join(", ")}`);
  });
}
