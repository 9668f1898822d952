/** What `vei setup` and `vei model add` do: bring image and model into a state folder. */
import { VeiError } from "../src/base/errors.ts";
import { isIntact } from "./checked.ts";
import { buildImage, gather } from "./image/build.ts";
import { IMAGE_FILES } from "./image/manifest.ts";
import { recipeDigest } from "./image/recipe.ts";
import { differencesFromTested } from "./image/tested.ts";
import { type GuestImage, installImage, namedImage } from "./images.ts";
import { fetchDefaultModel, fetchModel, type ModelOrigin, SMOLLM2 } from "./model_source.ts";
import {
  checkModelName,
  installModel,
  listModels,
  type Model,
  modelByName,
  useModel,
} from "./models.ts";
import type { Progress } from "./progress.ts";
import { inWorkFolder } from "./work_folder.ts";

export interface SetUpOptions {
  /** Instead of the default model; it becomes the default. */
  model?: ModelOrigin;
  /** A Debian mirror; default: the host's. */
  mirror?: string;
  /** Build the image from the newest packages, even though there is one. */
  update?: boolean;
  /** Read every byte of what is there. */
  check?: boolean;
}

export interface SetUpResult {
  image: GuestImage;
  model: Model;
  /** Whether anything was made anew. */
  changed: boolean;
  /** How the image differs from the one that was last tested; empty when it is that one. */
  differences: string[];
}

/**
 * Brings a guest image and a model into the state folder; what is there and right is kept. A failure
 * leaves what was there as it was.
 * @throws VeiError `packages-unavailable`, `model-unavailable`, `disk-full`, `state-locked`, …
 */
export async function setUp(
  state: string,
  options: SetUpOptions,
  progress: Progress,
): Promise<SetUpResult> {
  if (options.model) checkModelName(options.model.name);
  const full = options.check === true;
  const kept = options.update ? null : await keptImage(state, full);
  const image = kept ?? await makeImage(state, options.mirror, progress);
  const short = image.digest.slice(0, 12);
  if (kept) progress.note(`Guest image ${short}: up to date`);
  const differences = differencesFromTested(image);
  for (const line of kept ? [] : differences) progress.note(`Note: ${line}`);
  const keptModel = options.model ? null : await keptDefault(state, full);
  const model = keptModel ?? await makeModel(state, options.model, progress);
  if (keptModel) progress.note(`Model ${model.name}: up to date`);
  return { image, model, changed: !kept || !keptModel, differences };
}

/** @returns the image in use where it is whole and of this program's recipe. */
async function keptImage(state: string, full: boolean): Promise<GuestImage | null> {
  let image: GuestImage;
  try {
    image = await namedImage(state);
  } catch (thrown) {
    if (thrown instanceof VeiError) return null;
    throw thrown;
  }
  if (image.manifest.recipe !== await recipeDigest()) return null;
  for (const name of IMAGE_FILES) {
    const path = `images/${image.digest}/${name}`;
    if (!await isIntact(state, path, image.manifest.files[name].sha256, full)) return null;
  }
  return image;
}

function makeImage(
  state: string,
  mirror: string | undefined,
  progress: Progress,
): Promise<GuestImage> {
  return inWorkFolder(state, async (work) => {
    for (const name of ["apt", "build", "image"]) await Deno.mkdir(`${work}/${name}`);
    const ingredients = await gather(`${work}/apt`, mirror, progress);
    await buildImage(ingredients, `${work}/build`, `${work}/image`, progress);
    await installImage(state, `${work}/image`);
    return await namedImage(state);
  });
}

/** @returns the default model where it is whole; one that set-up cannot bring again must be. */
async function keptDefault(state: string, full: boolean): Promise<Model | null> {
  const name = (await listModels(state)).default;
  if (name === null) return null;
  const ours = name === SMOLLM2.name;
  try {
    const model = await modelByName(state, name);
    const path = `models/${model.digest}.gguf`;
    if (await isIntact(state, path, model.digest, full)) return model;
    if (!ours) await modelByName(state, name, { check: true });
  } catch (thrown) {
    if (!ours || !(thrown instanceof VeiError)) throw thrown;
  }
  return null;
}

async function makeModel(
  state: string,
  origin: ModelOrigin | undefined,
  progress: Progress,
): Promise<Model> {
  const model = await inWorkFolder(state, async (work) => {
    const what = origin
      ? `Model ${origin.name} from ${origin.from}`
      : `Model ${SMOLLM2.name}, ${(SMOLLM2.size / 1e6).toFixed(0)} MB`;
    const added = await progress.step(
      what,
      () => origin ? fetchModel(work, origin) : fetchDefaultModel(work),
    );
    return await installModel(state, added);
  });
  if (origin) await useModel(state, model.name);
  else progress.note(`${model.name}: SmolLM2 135M Instruct by Hugging Face, ${model.licence}`);
  // Read once while it is in the page cache, so that the next set-up is quick.
  await isIntact(state, `models/${model.digest}.gguf`, model.digest, true);
  return model;
}

/** Copies or downloads a model and names it. @throws VeiError as `fetchModel`, `installModel`. */
export async function addModel(
  state: string,
  origin: ModelOrigin,
  progress: Progress,
): Promise<Model> {
  checkModelName(origin.name);
  return await inWorkFolder(state, async (work) => {
    const what = `Model ${origin.name} from ${origin.from}`;
    return await installModel(state, await progress.step(what, () => fetchModel(work, origin)));
  });
}
