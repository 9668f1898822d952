/** Reads one file out of a ZIP archive (a Python wheel), without unpacking the rest. */

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
const END_BYTES = 22;
const MAX_COMMENT = 0xffff;
const CHUNK_BYTES = 1 << 18;

/**
 * @param path the archive; PKWARE APPNOTE.TXT §4.3, without ZIP64 and encryption.
 * @param name a file's full name in it.
 * @returns its content as a stream, which closes the archive at its end.
 * @throws SyntaxError for an archive of another form, Deno.errors.NotFound when it lacks the file.
 */
export async function readFromZip(
  path: string,
  name: string,
): Promise<ReadableStream<Uint8Array>> {
  const file = await Deno.open(path);
  try {
    const entry = await findEntry(file, name);
    if (entry === null) throw new Deno.errors.NotFound(`${path} holds no ${name}`);
    const local = await readAt(file, entry.offset, 30);
    if (local.getUint32(0, true) !== LOCAL_HEADER) throw malformed("a local header");
    const start = entry.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    const packed = slice(file, start, entry.packed);
    if (entry.method === STORED) return packed;
    if (entry.method !== DEFLATED) throw malformed(`a known compression (${entry.method})`);
    return packed.pipeThrough(new DecompressionStream("deflate-raw"));
  } catch (thrown) {
    file.close();
    throw thrown;
  }
}

interface Entry {
  method: number;
  packed: number;
  offset: number;
}

async function findEntry(file: Deno.FsFile, name: string): Promise<Entry | null> {
  const { size } = await file.stat();
  const tailStart = Math.max(0, size - END_BYTES - MAX_COMMENT);
  const tail = await readAt(file, tailStart, size - tailStart);
  let end = tail.byteLength - END_BYTES;
  // The comment behind it may hold the same four bytes, but not also its own length.
  const isEnd = (at: number) =>
    tail.getUint32(at, true) === END_OF_DIRECTORY &&
    tail.getUint16(at + 20, true) === tail.byteLength - at - END_BYTES;
  while (end >= 0 && !isEnd(end)) end--;
  if (end < 0) throw malformed("an end of directory");
  const directorySize = tail.getUint32(end + 12, true);
  const directoryStart = tail.getUint32(end + 16, true);
  if (directoryStart + directorySize > size) throw malformed("a directory within the file");
  const directory = await readAt(file, directoryStart, directorySize);
  const decoder = new TextDecoder();
  for (let at = 0; at < directorySize;) {
    if (directory.getUint32(at, true) !== DIRECTORY_ENTRY) throw malformed("a directory entry");
    const nameLength = directory.getUint16(at + 28, true);
    const bytes = new Uint8Array(directory.buffer, at + 46, nameLength);
    if (decoder.decode(bytes) === name) {
      return {
        method: directory.getUint16(at + 10, true),
        packed: directory.getUint32(at + 20, true),
        offset: directory.getUint32(at + 42, true),
      };
    }
    at += 46 + nameLength + directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true);
  }
  return null;
}

async function readAt(file: Deno.FsFile, offset: number, length: number): Promise<DataView> {
  await file.seek(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) throw malformed("as many bytes as it says");
    at += count;
  }
  return new DataView(bytes.buffer);
}

/** @returns `length` bytes from `start` on as a stream, which owns the file. */
function slice(
  file: Deno.FsFile,
  start: number,
  length: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = length;
  return new ReadableStream({
    async start() {
      await file.seek(start, Deno.SeekMode.Start);
    },
    async pull(controller) {
      const buffer = new Uint8Array(Math.min(CHUNK_BYTES, left));
      const count = left === 0 ? 0 : await file.read(buffer);
      if (count === null) throw malformed("as many bytes as it says");
      if (count > 0) controller.enqueue(buffer.subarray(0, count));
      left -= count;
      if (left === 0) {
        file.close();
        controller.close();
      }
    },
    cancel() {
      file.close();
    },
  });
}

function malformed(what: string): SyntaxError {
  return new SyntaxError(`Cannot read the archive: it has not ${what}`);
}
