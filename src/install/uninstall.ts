/** Takes an installation away again: exactly what was put there, nothing that somebody changed. */
import { lookAt, removeFile, removeIfEmpty } from "./disk.ts";
import { removeTemporaries } from "./install.ts";
import type { Layout } from "./layout.ts";
import { readManifest } from "./manifest.ts";
import { removeUser } from "./user.ts";

/**
 * Removes files, folders that are empty then, and users that were made. Killed at any moment, the
 * next run does the rest: the manifest goes last.
 * @param keep paths that stay, although they are ours (the configuration).
 * @param say takes a line for each thing removed or left.
 * @returns whether anything was installed.
 * @throws VeiError `manifest-damaged`, `program-failed`; a Deno error of the file system.
 */
export async function removeInstalled(
  layout: Layout,
  keep: readonly string[],
  say: (what: string, path: string, done: string) => void,
): Promise<boolean> {
  const manifest = await readManifest(layout.manifest);
  await removeTemporaries([layout.manifest]);
  if (manifest === null) {
    await removeIfEmpty(layout.library);
    return false;
  }
  await removeTemporaries(Object.keys(manifest.files));
  for (const [path, ours] of Object.entries(manifest.files)) {
    const there = await lookAt(path);
    if (there.kind === "none") continue;
    if (keep.includes(path)) say("file", path, "kept");
    else if (there.kind === "file" && ours.includes(there.sha256)) {
      await removeFile(path);
      say("file", path, "removed");
    } else say("file", path, "kept: somebody changed it");
  }
  for (const user of manifest.users) {
    await removeUser(user);
    say("user", `${user.name} (${user.id})`, "removed");
  }
  // Those on the way to the manifest can go only after it.
  const removeFolders = async (folders: string[]) => {
    for (const folder of folders) {
      if (await removeIfEmpty(folder)) say("folder", folder, "removed");
    }
  };
  await removeFolders(manifest.folders.toReversed());
  await removeFile(layout.manifest);
  await removeFolders(manifest.folders.toReversed());
  return true;
}
