/** Runs `vei` as a user would: the compiled binary where VEI_BINARY names it, else the source. */

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

const ROOT = new URL("../../", import.meta.url).pathname;

/** @returns the words that start `vei`. */
export function veiCommand(): string[] {
  const binary = Deno.env.get("VEI_BINARY");
  return binary ? [binary] : [Deno.execPath(), "run", "-A", "--quiet", `${ROOT}main.ts`];
}

export interface VeiOptions {
  /** Words before the program, e.g. `["unshare", "--net"]`. */
  wrap?: string[];
  env?: Record<string, string>;
  cwd?: string;
  stdin?: "piped" | "null";
  timeoutMs?: number;
}

/** Starts `vei`; its output is piped. */
export function startVei(args: string[], options: VeiOptions = {}): Deno.ChildProcess {
  const [program, ...before] = [...(options.wrap ?? []), ...veiCommand()];
  return new Deno.Command(program, {
    args: [...before, ...args],
    env: { NO_COLOR: "1", ...options.env },
    cwd: options.cwd,
    stdin: options.stdin ?? "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs `vei` to its end. */
export async function vei(args: string[], options: VeiOptions = {}): Promise<Ran> {
  const child = startVei(args, options);
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 60_000);
  const output = await child.output();
  clearTimeout(timer);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}

/** @returns an instance name that nobody else uses. */
export function freshName(): string {
  return `t${crypto.randomUUID().replaceAll("-", "").slice(0, 9)}`;
}

/** @returns a state folder of the test file's own, which goes with it. */
export function fileState(): string {
  const state = Deno.makeTempDirSync({ prefix: "vei-state-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(state, { recursive: true }));
  return state;
}
