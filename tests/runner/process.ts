/** Runs one program with a deadline, and finds what it left behind. */

export interface Finished {
  code: number;
  signal: string | null;
  timedOut: boolean;
  /** Standard output, then standard error. */
  output: string;
  seconds: number;
  /** Command lines of processes that outlived it; they have been killed. */
  leftBehind: string[];
}

/** Carried by every process of a run, so that what was left behind can be told from all else. */
const MARK = "VEI_TEST_MARK";

const running = new Set<number>();

/** Ends everything that is running now; for when the runner itself is told to stop. */
export function killAll(): void {
  for (const pid of running) killGroup(pid);
}

function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // The group has no process left.
  }
}

/** @returns pid and command line of each process whose environment carries the mark. */
function marked(mark: string): [number, string][] {
  const found: [number, string][] = [];
  for (const entry of Deno.readDirSync("/proc")) {
    if (!/^[0-9]+$/.test(entry.name)) continue;
    try {
      if (!Deno.readTextFileSync(`/proc/${entry.name}/environ`).includes(`${MARK}=${mark}`)) {
        continue;
      }
      const line = Deno.readTextFileSync(`/proc/${entry.name}/cmdline`).replaceAll("\0", " ")
        .trim();
      if (line !== "") found.push([Number(entry.name), line.slice(0, 200)]);
    } catch {
      // It ended while we were looking, or is not ours to read.
    }
  }
  return found;
}

async function leftBehind(mark: string): Promise<string[]> {
  // What is ending at this moment gets a second to do so.
  for (let tries = 0; tries < 10 && marked(mark).length > 0; tries++) {
    await new Promise((done) => setTimeout(done, 100));
  }
  return marked(mark).map(([pid, line]) => {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has just ended.
    }
    return line;
  });
}

/** Reads a pipe to its end; `text` holds what came so far, should the end never come. */
function collect(stream: ReadableStream<Uint8Array>) {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  const pipe = {
    text: "",
    ended: Promise.resolve(),
    cancel: () => reader.cancel().catch(() => {}),
  };
  pipe.ended = (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      pipe.text += decoder.decode(value, { stream: true });
    }
  })().catch(() => {});
  return pipe;
}

/**
 * Runs a program in a session of its own, with no standard input.
 * @param deadline in seconds; then it and its session are killed.
 */
export async function runToEnd(
  program: string,
  args: string[],
  env: Record<string, string>,
  deadline: number,
): Promise<Finished> {
  const mark = crypto.randomUUID();
  const began = performance.now();
  const child = new Deno.Command(program, {
    args,
    env: { ...env, [MARK]: mark },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  running.add(child.pid);
  const pipes = [collect(child.stdout), collect(child.stderr)];
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, deadline * 1000);
  const { code, signal } = await child.status;
  clearTimeout(timer);
  running.delete(child.pid);
  const left = await leftBehind(mark);
  // A process that carries no mark could still hold a pipe open: do not wait for it for ever.
  let patience: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([
    Promise.all(pipes.map((pipe) => pipe.ended)),
    new Promise<void>((done) => patience = setTimeout(done, 2000)),
  ]);
  clearTimeout(patience);
  await Promise.all(pipes.map((pipe) => pipe.cancel()));
  return {
    code,
    signal,
    timedOut,
    output: pipes.map((pipe) => pipe.text).join(""),
    seconds: (performance.now() - began) / 1000,
    // After a kill, what is left says nothing more about the test.
    leftBehind: timedOut ? [] : left,
  };
}
