/** Where set-up works until what it makes is whole: a folder inside the state folder. */
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import { lockState } from "../ffi/lock.ts";

/**
 * Gives `work` an empty folder on the state folder's file system and removes it afterwards. One at a
 * time; what a killed run has left behind is removed first. A daemon may be running meanwhile.
 * @throws VeiError `state-locked`, `state-unwritable`, `disk-full`, and what `work` throws.
 */
export async function inWorkFolder<T>(
  state: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = `${state}/setup`;
  using _lock = lockState(folder);
  const fresh = `${folder}/work`;
  await remove(fresh);
  try {
    await Deno.mkdir(fresh, { mode: 0o700 });
    return await work(fresh);
  } catch (thrown) {
    throw await isFull(folder) ? diskFull(folder, thrown) : thrown;
  } finally {
    await remove(fresh);
  }
}

async function remove(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
  }
}

/** Programs say it in words of their own, if at all: so try to write a little. */
async function isFull(folder: string): Promise<boolean> {
  const path = `${folder}/probe`;
  try {
    await Deno.writeFile(path, new Uint8Array(64 * 1024));
    return false;
  } catch (thrown) {
    // ENOSPC and EDQUOT have no class of their own in Deno.
    return /os error (28|122)\b/.test(messageOf(thrown));
  } finally {
    await Deno.remove(path).catch(() => {});
  }
}

function diskFull(folder: string, cause: unknown): VeiError {
  return new VeiError({
    code: "disk-full",
    message: `The disk of ${folder} is full`,
    hint:
      "free about 500 MB, or choose another place with --state DIR; what was there is unchanged",
    exit: Exit.cannotCreate,
    cause,
  });
}
