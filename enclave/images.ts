/** The guest images of a state folder: `images/DIGEST/…` and the link `images/current`. */
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import { sha256 } from "../src/base/bytes.ts";
import { sha256File } from "./digest.ts";
import { IMAGE_FILES, type Manifest, parseManifest } from "./image/manifest.ts";
import { ignoreMissing } from "../src/host/missing.ts";

/** A guest image. Paths are absolute where the state folder's is. */
export interface GuestImage {
  /** SHA-256 of the manifest, which names every file's digest. */
  digest: string;
  kernel: string;
  initrd: string;
  root: string;
  manifest: Manifest;
}

/** @returns the folder of the images. */
export function imagesFolder(state: string): string {
  return `${state}/images`;
}

/**
 * The image that is in use, every byte of it checked.
 * @throws VeiError `image-missing`, `image-damaged` (exit 78).
 */
export async function currentImage(state: string): Promise<GuestImage> {
  const image = await namedImage(state);
  for (const name of IMAGE_FILES) {
    const path = `${imagesFolder(state)}/${image.digest}/${name}`;
    let digest: string;
    try {
      digest = await sha256File(path);
    } catch (cause) {
      throw damaged(`cannot read ${path}: ${messageOf(cause)}`, cause);
    }
    if (digest !== image.manifest.files[name].sha256) {
      throw damaged(`${path} is not the file that its manifest names`);
    }
  }
  return image;
}

/**
 * The image that is in use, by its manifest alone: its files are not looked at.
 * @throws VeiError `image-missing`, `image-damaged`.
 */
export async function namedImage(state: string): Promise<GuestImage> {
  const folder = imagesFolder(state);
  let digest: string;
  try {
    digest = await Deno.readLink(`${folder}/current`);
  } catch (cause) {
    throw new VeiError({
      code: "image-missing",
      message: `There is no guest image in ${folder}`,
      hint: "run `vei setup`",
      exit: Exit.config,
      cause,
    });
  }
  if (!/^[0-9a-f]{64}$/.test(digest)) throw damaged(`${folder}/current names no image`);
  try {
    const bytes = await Deno.readFile(`${folder}/${digest}/manifest.json`);
    if (await sha256(bytes) !== digest) throw new SyntaxError("its digest is another");
    return {
      digest,
      kernel: `${folder}/${digest}/kernel`,
      initrd: `${folder}/${digest}/initrd`,
      root: `${folder}/${digest}/root.squashfs`,
      manifest: parseManifest(new TextDecoder().decode(bytes)),
    };
  } catch (cause) {
    throw damaged(`the manifest of ${digest}: ${messageOf(cause)}`, cause);
  }
}

function damaged(what: string, cause?: unknown): VeiError {
  return new VeiError({
    code: "image-damaged",
    message: `The guest image is damaged: ${what}`,
    hint: "run `vei setup --check`: it reads every byte and makes anew what is damaged",
    exit: Exit.config,
    cause,
  });
}

/**
 * Moves a finished image into place and makes it the one in use; both steps happen or do not.
 * @param built folder on the same file system, with the image's files and manifest.json.
 * @returns the image's digest.
 */
export async function installImage(state: string, built: string): Promise<string> {
  const folder = imagesFolder(state);
  const digest = await sha256File(`${built}/manifest.json`);
  await Deno.mkdir(folder, { recursive: true });
  for (const name of [...IMAGE_FILES, "manifest.json"]) await syncFile(`${built}/${name}`);
  const place = `${folder}/${digest}`;
  const previous = await Deno.readLink(`${folder}/current`).catch(() => null);
  // The same name with other bytes is a damaged image: it makes room.
  await Deno.remove(place, { recursive: true }).catch(ignoreMissing);
  await Deno.rename(built, place);
  await Deno.chmod(place, 0o755);
  const link = `${folder}/current.new`;
  await Deno.remove(link).catch(ignoreMissing);
  await Deno.symlink(digest, link);
  await Deno.rename(link, `${folder}/current`);
  // A daemon that runs may still start the previous one again.
  for await (const entry of Deno.readDir(folder)) {
    if (![digest, previous, "current"].includes(entry.name)) {
      await Deno.remove(`${folder}/${entry.name}`, { recursive: true });
    }
  }
  return digest;
}

async function syncFile(path: string): Promise<void> {
  using file = await Deno.open(path);
  await file.sync();
}
