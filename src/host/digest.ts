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
