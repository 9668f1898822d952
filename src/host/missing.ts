/** Paths that may not be there. */

/** @returns whether there is anything at a path; symbolic links are not followed. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, (cause) => {
    ignoreMissing(cause);
    return false;
  });
}

/** For `catch`: what is not there is no error, all else is thrown on. */
export function ignoreMissing(cause: unknown): void {
  if (!(cause instanceof Deno.errors.NotFound)) throw cause;
}
