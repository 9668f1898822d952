/** Unpacked packages: where a library is, and which files a program needs. */
import { Exit, VeiError } from "../../src/base/errors.ts";
import { readElf } from "./elf.ts";

/** A package that no longer holds what the recipe takes from it. */
export function recipeOutdated(what: string): VeiError {
  return new VeiError({
    code: "recipe-outdated",
    message: `Debian's packages have changed their shape: ${what}`,
    hint: "update vei; an image that was built before still works",
    exit: Exit.unavailable,
  });
}

/**
 * The files that a set of programs needs at run time, found by the loader's rules (ld.so(8)) from
 * the files themselves: nothing of the packages is run on the host.
 * @param tree the folder in which the packages are unpacked.
 * @param programs paths in the tree, without leading slash.
 * @param folders the loader's default folders, likewise.
 * @returns every needed file's path in the tree (links not followed in the name), sorted.
 * @throws VeiError `recipe-outdated` when a library is missing.
 */
export async function libraryClosure(
  tree: string,
  programs: readonly string[],
  folders: readonly string[],
): Promise<string[]> {
  const found = new Set<string>();
  const waiting = [...programs];
  for (let path; (path = waiting.pop()) !== undefined;) {
    if (found.has(path)) continue;
    found.add(path);
    const { needed, runpath } = readElf(await readIn(tree, path));
    const own = runpath.map((folder) => folder.replace(/^\//, ""));
    for (const name of needed) {
      const places = [...own, ...folders].map((folder) => `${folder}/${name}`);
      const place = await firstIn(tree, places);
      if (place === null) throw recipeOutdated(`${path} needs ${name}, and no package has it`);
      waiting.push(place);
    }
  }
  return [...found].sort();
}

async function readIn(tree: string, path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(`${tree}/${path}`);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) throw recipeOutdated(`there is no ${path}`);
    throw cause;
  }
}

async function firstIn(tree: string, paths: string[]): Promise<string | null> {
  for (const path of paths) {
    if (await Deno.stat(`${tree}/${path}`).then((info) => info.isFile, () => false)) return path;
  }
  return null;
}

/** @returns the paths of all files under `folder`. */
export async function filesUnder(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) files.push(...await filesUnder(path));
    else files.push(path);
  }
  return files;
}
