/** The models of a state folder: `models/SHA256.gguf` and the names in `models/index.json`. */
import * as v from "valibot";
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import { lockState } from "../ffi/lock.ts";
import { sha256File } from "./digest.ts";

const Entry = v.strictObject({
  digest: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  size: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Where it came from, for a person. */
  source: v.string(),
  licence: v.string(),
});
const Index = v.strictObject({
  format: v.literal(1),
  /** The name that is used where the configuration says `default`. */
  default: v.nullable(v.string()),
  models: v.record(v.string(), Entry),
});
type Index = v.InferOutput<typeof Index>;

/** In the configuration: whichever model `vei model use` chose. */
export const DEFAULT_MODEL = "default";

export interface Model {
  name: string;
  /** SHA-256 of the GGUF file. */
  digest: string;
  path: string;
  /** Bytes. */
  size: number;
  source: string;
  licence: string;
}

/** @returns the folder of the models. */
export function modelsFolder(state: string): string {
  return `${state}/models`;
}

/** @throws VeiError `model-name` unless it is 1 to 64 of `a-z 0-9 . _ -`, and not `default`. */
export function checkModelName(name: string): void {
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name) && name !== DEFAULT_MODEL) return;
  throw new VeiError({
    code: "model-name",
    message: `${JSON.stringify(name)} cannot name a model`,
    hint: "use lower-case letters, digits, dots, hyphens and underscores",
    exit: Exit.usage,
  });
}

/** @returns every named model, and the default's name. */
export async function listModels(
  state: string,
): Promise<{ default: string | null; models: Model[] }> {
  const index = await readIndex(state);
  const names = Object.keys(index.models).sort();
  return { default: index.default, models: names.map((name) => modelOf(state, index, name)) };
}

/**
 * @param name a model's name, or `default`.
 * @param options `check`: read every byte and compare the digest (a second per 100 MB).
 * @throws VeiError `model-unknown`, `model-missing`, `model-damaged` (exit 78).
 */
export async function modelByName(
  state: string,
  name: string,
  options: { check?: boolean } = {},
): Promise<Model> {
  const index = await readIndex(state);
  const chosen = name === DEFAULT_MODEL ? index.default : name;
  if (chosen === null || !Object.hasOwn(index.models, chosen)) {
    const known = Object.keys(index.models).sort().join(", ");
    throw configError(
      "model-unknown",
      chosen === null ? "No model has been set up" : `There is no model ${JSON.stringify(name)}`,
      known === "" ? "run `vei setup`" : `\`vei model add\` adds one; there are: ${known}`,
    );
  }
  const model = modelOf(state, index, chosen);
  let size: number;
  try {
    const info = await Deno.stat(model.path);
    size = info.isFile ? info.size : -1;
  } catch (cause) {
    throw configError(
      "model-missing",
      `The file of model ${chosen} is gone: ${messageOf(cause)}`,
      "run `vei setup`, or add it again",
      cause,
    );
  }
  if (size !== model.size) throw damaged(model, `it has ${size} bytes instead of ${model.size}`);
  if (options.check && await sha256File(model.path) !== model.digest) {
    throw damaged(model, "its digest is another");
  }
  return model;
}

/** A file that is to become a model. */
export interface NewModel {
  name: string;
  /** On the state folder's file system; it is moved. */
  file: string;
  digest: string;
  size: number;
  source: string;
  licence: string;
}

/**
 * Moves a checked file in and gives it a name; the first one becomes the default.
 * @throws VeiError `model-name`; Deno's errors when the disk is full (nothing is changed then).
 */
export async function installModel(state: string, added: NewModel): Promise<Model> {
  const { name, file, digest, size, source, licence } = added;
  checkModelName(name);
  const index = await readIndex(state);
  const models = { ...index.models, [name]: { digest, size, source, licence } };
  const next: Index = { format: 1, default: index.default ?? name, models };
  await Deno.mkdir(modelsFolder(state), { recursive: true });
  await Deno.chmod(file, 0o644);
  await Deno.rename(file, `${modelsFolder(state)}/${digest}.gguf`);
  await writeIndex(state, next);
  return modelOf(state, next, name);
}

/** Makes a model the default. @throws VeiError `state-locked`, and as `modelByName`. */
export async function useModel(state: string, name: string): Promise<Model> {
  using _lock = lockState(`${state}/setup`);
  const model = await modelByName(state, name);
  const index = await readIndex(state);
  await writeIndex(state, { ...index, default: model.name });
  return model;
}

function modelOf(state: string, index: Index, name: string): Model {
  const entry = index.models[name];
  return { name, ...entry, path: `${modelsFolder(state)}/${entry.digest}.gguf` };
}

async function readIndex(state: string): Promise<Index> {
  const path = `${modelsFolder(state)}/index.json`;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return { format: 1, default: null, models: {} };
    throw configError("models-unreadable", `Cannot read ${path}: ${messageOf(cause)}`, "", cause);
  }
  try {
    return v.parse(Index, JSON.parse(text));
  } catch (cause) {
    throw configError(
      "models-unreadable",
      `${path} is not a list of models: ${messageOf(cause)}`,
      "move it away and run `vei setup`",
      cause,
    );
  }
}

async function writeIndex(state: string, index: Index): Promise<void> {
  const path = `${modelsFolder(state)}/index.json`;
  const fresh = `${path}.new`;
  {
    using file = await Deno.open(fresh, { write: true, create: true, truncate: true, mode: 0o644 });
    const bytes = new TextEncoder().encode(JSON.stringify(index, null, 2) + "\n");
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  }
  await Deno.rename(fresh, path);
}

function damaged(model: Model, why: string): VeiError {
  return configError(
    "model-damaged",
    `The file of model ${model.name} is damaged: ${why}`,
    "run `vei setup --check`, or add it again with `vei model add`",
  );
}

function configError(code: string, message: string, hint: string, cause?: unknown): VeiError {
  return new VeiError({ code, message, hint, exit: Exit.config, cause });
}
