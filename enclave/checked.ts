/**
 * Remembers which files were read and found right, so that a second set-up need not read 150 MB. A
 * file counts as unchanged while inode, size and both times are: ctime cannot be set back by a
 * program. Only set-up relies on this; whoever uses an image reads every byte.
 */
import { sha256File } from "./digest.ts";

const FILE = "setup/checked.json";

/** Of each path in the state folder: its digest and what stat(2) said when that was so. */
type Stamps = Record<string, string>;

/**
 * @param path relative to the state folder.
 * @param full read the file even if nothing seems to have changed.
 * @returns whether the file is there and its SHA-256 is `digest`.
 */
export async function isIntact(
  state: string,
  path: string,
  digest: string,
  full: boolean,
): Promise<boolean> {
  const stamp = await stampOf(`${state}/${path}`, digest);
  if (stamp === null) return false;
  const stamps = await readStamps(state);
  if (!full && Object.hasOwn(stamps, path) && stamps[path] === stamp) return true;
  if (await sha256File(`${state}/${path}`) !== digest) return false;
  await writeStamps(state, { ...stamps, [path]: stamp });
  return true;
}

async function stampOf(path: string, digest: string): Promise<string | null> {
  try {
    const { isFile, ino, size, mtime, ctime } = await Deno.stat(path);
    return isFile ? [digest, ino, size, mtime?.getTime(), ctime?.getTime()].join(" ") : null;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return null;
    throw thrown;
  }
}

async function readStamps(state: string): Promise<Stamps> {
  try {
    return Object.fromEntries(
      Object.entries(JSON.parse(await Deno.readTextFile(`${state}/${FILE}`)))
        .filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  } catch {
    // Not there yet, or torn: then everything is read again.
    return {};
  }
}

async function writeStamps(state: string, stamps: Stamps): Promise<void> {
  const path = `${state}/${FILE}`;
  try {
    await Deno.writeTextFile(`${path}.new`, JSON.stringify(stamps));
    await Deno.rename(`${path}.new`, path);
  } catch {
    // A read-only or full disk: the next run reads the files again.
  }
}
