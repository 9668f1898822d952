/** Files that are put in place whole or not at all, whenever the power fails. */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { sha256File } from "../host/digest.ts";
import { exists } from "../host/missing.ts";
import { temporaryOf } from "./layout.ts";

/** What a file is made of. */
export type Content = { text: string } | { copyOf: string };

/** What is at a path: nothing, a regular file's digest, or something else (a link, a folder). */
export type Found = { kind: "none" } | { kind: "file"; sha256: string } | { kind: "other" };

/** @returns what is at a path; symbolic links are not followed. */
export async function lookAt(path: string): Promise<Found> {
  try {
    const { isFile } = await Deno.lstat(path);
    return isFile ? { kind: "file", sha256: await sha256File(path) } : { kind: "other" };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return { kind: "none" };
    throw cause;
  }
}

/**
 * Makes a file beside its place, flushes it, and moves it in.
 * @param options `sha256`: what the content must be; a file that changed meanwhile is refused.
 * @throws VeiError `install-failed`.
 */
export async function placeFile(
  path: string,
  content: Content,
  options: FileOptions,
): Promise<void> {
  const temporary = temporaryOf(path);
  await makeFile(temporary, content, options);
  await moveFile(temporary, path);
}

export interface FileOptions {
  mode: number;
  sha256?: string;
}

/** Makes a file where it stands, flushed. @throws VeiError `install-failed`; nothing is left then. */
export async function makeFile(
  path: string,
  content: Content,
  { mode, sha256 }: FileOptions,
): Promise<void> {
  try {
    await removeFile(path);
    if ("text" in content) await Deno.writeTextFile(path, content.text, { createNew: true });
    else await Deno.copyFile(content.copyOf, path);
    await Deno.chmod(path, mode);
    if (sha256 !== undefined && await sha256File(path) !== sha256) {
      throw new Error("its content changed while it was copied");
    }
    await syncPath(path);
  } catch (cause) {
    await removeFile(path).catch(() => {});
    throw new VeiError({
      code: "install-failed",
      message: `Cannot make ${path}: ${messageOf(cause)}`,
      hint: "what was in use is unchanged; mend the cause and run the same command again",
      exit: Exit.cannotCreate,
      cause,
    });
  }
}

/** Moves a file over another one of the same folder or file system, durably. */
export async function moveFile(from: string, to: string): Promise<void> {
  await Deno.rename(from, to);
  await syncPath(folderOf(to));
}

/** Removes a file; one that is not there is no error. @returns whether it was there. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}

/** Removes a folder if it is empty. @returns whether it did. */
export async function removeIfEmpty(path: string): Promise<boolean> {
  try {
    if ((await Array.fromAsync(Deno.readDir(path))).length > 0) return false;
    await Deno.remove(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw cause;
  }
}

/** @returns those folders on the way to the files that are not there yet, outermost first. */
export async function missingFolders(paths: readonly string[]): Promise<string[]> {
  const missing = new Set<string>();
  for (const path of paths) {
    const chain: string[] = [];
    for (let folder = folderOf(path); folder !== ""; folder = folderOf(folder)) chain.push(folder);
    for (const folder of chain.reverse()) if (!await exists(folder)) missing.add(folder);
  }
  return [...missing];
}

/** Makes folders (0755, whatever the umask), outermost first. */
export async function makeFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.chmod(folder, 0o755);
  }
}

/** @returns the folder that a path lies in; empty for the root. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

async function syncPath(path: string): Promise<void> {
  using file = await Deno.open(path === "" ? "/" : path);
  await file.sync();
}
