/** SHA-256 of files, without holding them in memory. */
import { createHash } from "node:crypto";

const CHUNK_BYTES = 1 << 20;

/** @returns SHA-256 (FIPS 180-4) of the file's content, lower-case hex. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let count; (count = await file.read(buffer)) !== null;) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest("hex");
}

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
