/** Writes files and tells their digests, without holding them in memory. */
import { createHash } from "node:crypto";

export { sha256File } from "../src/host/digest.ts";

export interface WrittenFile {
  sha256: string;
  size: number;
}

/**
 * Writes a new file from a stream and flushes it to the disk.
 * @param limit bytes; one more is an error.
 * @throws RangeError beyond the limit; Deno.errors.AlreadyExists.
 */
export async function writeHashed(
  path: string,
  source: ReadableStream<Uint8Array>,
  limit: number,
): Promise<WrittenFile> {
  const hash = createHash("sha256");
  let size = 0;
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o644 });
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limit) throw new RangeError(`more than ${limit} bytes came`);
    hash.update(chunk);
    for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
  }
  await file.sync();
  return { sha256: hash.digest("hex"), size };
}
