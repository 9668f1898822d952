/** The newest Deno, which `install.sh test` has put beside the pinned one. */
import type { Outcome, Toolset } from "./execute.ts";

const FOLDER = ".tools/deno-latest";

/**
 * @returns the toolset and its lock file (the caller removes it), or a failed outcome that says why
 * there is none.
 */
export async function newestDeno(
  pinned: Toolset,
): Promise<{ tools: Toolset; lock: string } | { outcome: Outcome }> {
  const read = (name: string) => Deno.readTextFile(`${FOLDER}/${name}`).catch(() => null);
  const missing = await read("missing");
  const version = await read("version");
  if (missing !== null || version === null) {
    const reason = missing?.trim() ?? "is not there: run `./install.sh test`, which gets it";
    return {
      outcome: {
        name: "the newest Deno",
        folder: "newest Deno",
        passed: 0,
        failed: 1,
        cases: [],
        reasons: [reason],
        seconds: 0,
        output: "",
      },
    };
  }
  // A cache and a lock file of its own: a newer Deno may write them in a form of its own.
  const lock = await Deno.makeTempFile({ dir: ".cache", prefix: "newest-", suffix: ".lock" });
  await Deno.copyFile("deno.lock", lock);
  return {
    lock,
    tools: {
      deno: `${Deno.cwd()}/${FOLDER}/deno`,
      env: { ...pinned.env, DENO_DIR: `${Deno.cwd()}/.cache/deno-latest` },
      lock: [`--lock=${lock}`],
      label: `Deno ${version.trim()}: `,
    },
  };
}
