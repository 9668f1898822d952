/** The one place that runs other programs. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Give only `env`, nothing of our own environment. */
  clearEnv?: boolean;
  /** Bytes for standard input; default: none. */
  stdin?: Uint8Array;
  /** Killed (SIGKILL) after this many milliseconds. */
  timeoutMs?: number;
}

export interface RunResult {
  code: number;
  /** The signal that ended it, or null. */
  signal: string | null;
  stdout: Uint8Array;
  stderr: string;
  timedOut: boolean;
}

function missing(program: string, cause: unknown): VeiError {
  return new VeiError({
    code: "program-missing",
    message: `Cannot run ${program}: ${messageOf(cause)}`,
    hint: "run `vei doctor`: it names the package that brings it",
    exit: Exit.unavailable,
    cause,
  });
}

/**
 * Runs a program to its end, without a shell.
 * @returns what it printed and how it ended, also when it failed.
 * @throws VeiError `program-missing` when it cannot be started.
 */
export async function run(
  program: string,
  args: string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const command = new Deno.Command(program, {
    args,
    cwd: options.cwd,
    env: options.env,
    clearEnv: options.clearEnv,
    stdin: options.stdin ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  });
  let child: Deno.ChildProcess;
  try {
    child = command.spawn();
  } catch (cause) {
    throw missing(program, cause);
  }
  let timedOut = false;
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => {
    timedOut = true;
    killQuietly(child);
  }, options.timeoutMs);
  try {
    const [output] = await Promise.all([child.output(), feed(child, options.stdin)]);
    return {
      code: output.code,
      signal: output.signal,
      stdout: output.stdout,
      stderr: new TextDecoder().decode(output.stderr),
      timedOut,
    };
  } finally {
    clearTimeout(timer);
  }
}

async function feed(child: Deno.ChildProcess, bytes: Uint8Array | undefined): Promise<void> {
  if (!bytes) return;
  const writer = child.stdin.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } catch {
    // The program ended without reading all of it; its exit code says whether that mattered.
  }
}

function killQuietly(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended by itself meanwhile.
  }
}

/**
 * Runs a program that must succeed.
 * @returns its standard output as text.
 * @throws VeiError `program-failed` with its own last words as the cause.
 */
export async function mustRun(
  program: string,
  args: string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await run(program, args, options);
  if (result.code !== 0) {
    const words = result.stderr.trim().split("\n").slice(-5).join("\n");
    throw new VeiError({
      code: "program-failed",
      message: result.timedOut
        ? `${program} did not end within ${options.timeoutMs} ms`
        : `${program} ended with ${result.signal ?? result.code}: ${words}`,
      hint: `the command was: ${program} ${args.slice(0, 12).join(" ")}`,
      exit: Exit.unavailable,
    });
  }
  return new TextDecoder().decode(result.stdout);
}

/** What `start` leaves to the caller. */
export interface StartOptions {
  cwd?: string;
  env?: Record<string, string>;
  clearEnv?: boolean;
  stdin?: "null" | "inherit" | "piped";
  stdout?: "null" | "inherit" | "piped";
  stderr?: "null" | "inherit" | "piped";
}

/**
 * Starts a program and returns at once. Descriptors without close-on-exec are inherited, and the
 * namespaces are those of the calling (main) thread.
 * @throws VeiError `program-missing` when it cannot be started.
 */
export function start(program: string, args: string[], options: StartOptions = {}) {
  try {
    return new Deno.Command(program, {
      args,
      cwd: options.cwd,
      env: options.env,
      clearEnv: options.clearEnv,
      stdin: options.stdin ?? "null",
      stdout: options.stdout ?? "null",
      stderr: options.stderr ?? "null",
    }).spawn();
  } catch (cause) {
    throw missing(program, cause);
  }
}
