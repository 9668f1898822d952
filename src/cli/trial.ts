/** Tries a program before it is put in the place of another: it serves, in an instance of its own. */
import { parse, stringify } from "smol-toml";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { tomlProblem } from "../base/toml.ts";
import { instanceOf } from "../host/instance.ts";
import { start } from "../host/run.ts";
import { findEndpoint, isReady } from "./endpoint.ts";
import { ignoreMissing } from "../host/missing.ts";

/** Nobody else's: instances are named by people, and one trial runs at a time. */
const NAME = "veitrial";
const READY_MS = 30_000;
const END_MS = 20_000;
const KEPT_WORDS = 4000;

/**
 * Starts `serve --model mock` of a program with the machine's own configuration, waits until it is
 * ready, and ends it.
 * @param folder for its state; made and removed. What an interrupted trial left goes first.
 * @param config path of the configuration; one that is not there means the defaults.
 * @throws VeiError `trial-failed` with its last words; `config-invalid`.
 */
export async function tryProgram(program: string, folder: string, config: string): Promise<void> {
  const instance = instanceOf(NAME, { state: folder });
  const clear = async () => {
    for (const path of [folder, instance.run]) {
      await Deno.remove(path, { recursive: true }).catch(ignoreMissing);
    }
  };
  await clear();
  try {
    await Deno.mkdir(folder, { mode: 0o700 });
    const own = `${folder}/vei.toml`;
    await Deno.writeTextFile(own, trialConfig(await readConfig(config), config));
    await serveOnce(program, ["--instance", NAME, "--state", folder, "--config", own]);
  } finally {
    await clear();
  }

  async function serveOnce(program: string, args: string[]): Promise<void> {
    // It must not outlive us, also when we are killed.
    const child = start(
      "setpriv",
      ["--pdeathsig", "KILL", "--", program, "serve", "--model", "mock", ...args],
      { stderr: "piped", clearEnv: true, env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" } },
    );
    let words = "";
    const reading = (async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
        words = (words + text).slice(-KEPT_WORDS);
      }
    })();
    let ended: Deno.CommandStatus | null = null;
    const status = child.status.then((how) => ended = how);
    try {
      const ready = async () => {
        const endpoint = await findEndpoint(instance);
        return endpoint !== null && endpoint.pid === child.pid && await isReady(endpoint);
      };
      await until(async () => ended !== null || await ready(), READY_MS);
      if (ended !== null) throw new Error(`it ended by itself with ${describe(ended)}`);
      if (!await ready()) throw new Error(`it was not ready within ${READY_MS / 1000} s`);
      child.kill("SIGTERM");
      await until(() => ended !== null, END_MS);
      if (ended === null) throw new Error(`it did not end within ${END_MS / 1000} s`);
      if (!(ended as Deno.CommandStatus).success) {
        throw new Error(`told to end, it ended with ${describe(ended)}`);
      }
    } catch (cause) {
      if (ended === null) child.kill("SIGKILL");
      await status;
      await reading;
      throw failed(messageOf(cause), words, cause);
    }
    await reading;
  }
}

/**
 * @returns the configuration for a trial: every key that is set, so that one which the new program
 * does not know is found; but a port of its own, and no key that only the service is given.
 */
function trialConfig(text: string, path: string): string {
  try {
    const config = parse(text) as Record<string, Record<string, unknown>>;
    config.api = { ...config.api, listen: "127.0.0.1:0" };
    delete config.receipt?.key;
    return stringify(config);
  } catch (cause) {
    const { where, why } = tomlProblem(cause);
    throw new VeiError({
      code: "config-invalid",
      message: `Cannot read ${path}${where}: ${why}`,
      hint: "mend the TOML syntax there",
      exit: Exit.config,
      cause,
    });
  }
}

async function readConfig(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch((cause) => {
    if (cause instanceof Deno.errors.NotFound) return "";
    throw cause;
  });
}

async function until(holds: () => boolean | Promise<boolean>, ms: number): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end && !await holds();) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function describe({ signal, code }: Deno.CommandStatus): string {
  return signal ?? `exit code ${code}`;
}

function failed(why: string, words: string, cause: unknown): VeiError {
  const last = words.trim().split("\n").slice(-5).join("\n");
  return new VeiError({
    code: "trial-failed",
    message: `The new program does not work here: ${why}${last === "" ? "" : `\n${last}`}`,
    hint: "nothing was changed: the program in use is the same as before",
    exit: Exit.failed,
    cause,
  });
}
