/**
 * An append-only file of lines. What `append` has acknowledged is on the disk (fsync), in order,
 * and is never changed. Lines that are waiting together share one fsync.
 */
import { Exit, messageOf, VeiError } from "../base/errors.ts";

export interface Line {
  /** Where it begins in the file, in bytes. */
  readonly offset: number;
  /** Where the next one begins. */
  readonly end: number;
  readonly text: string;
}

interface Waiting {
  bytes: Uint8Array;
  resolve(offset: number): void;
  reject(cause: unknown): void;
}

export class LogFile implements AsyncDisposable {
  private waiting: Waiting[] = [];
  private writing: Promise<void> | null = null;
  private broken: VeiError | null = null;

  private constructor(
    readonly path: string,
    private readonly file: Deno.FsFile,
    private size: number,
    /** Bytes of an unacknowledged last line that a crash had left, and that were cut off. */
    readonly torn: number,
  ) {}

  /**
   * Opens or makes the file (0600). A last line without its end was never acknowledged: it is cut.
   * @param atLeast bytes of whole lines that are known to have been there.
   * @throws VeiError `log-unwritable`; `log-shortened` when fewer are, and then nothing is cut.
   */
  static async open(path: string, atLeast = 0): Promise<LogFile> {
    try {
      const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
      try {
        const { size } = await file.stat();
        const whole = await lastLineEnd(file, size);
        if (whole < atLeast) throw shortened(path, whole, atLeast);
        if (whole < size) {
          await file.truncate(whole);
          await file.sync();
        }
        await file.seek(whole, Deno.SeekMode.Start);
        await syncFolder(path);
        return new LogFile(path, file, whole, size - whole);
      } catch (cause) {
        file.close();
        throw cause;
      }
    } catch (cause) {
      throw cause instanceof VeiError ? cause : unwritable(path, cause);
    }
  }

  /**
   * @param text without a line end.
   * @returns the line's offset, once it is durable.
   * @throws VeiError `log-unwritable`: then it is not in the file, nor will any later line be.
   */
  append(text: string): Promise<number> {
    if (text.includes("\n")) throw new TypeError("A line cannot hold a line end");
    if (this.broken) return Promise.reject(this.broken);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.waiting.push({ bytes: new TextEncoder().encode(text + "\n"), resolve, reject });
    this.writing ??= this.write();
    return promise;
  }

  private async write(): Promise<void> {
    // Let those that ask in the same turn share the fsync.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      const begin = this.size;
      try {
        for (const { bytes } of batch) {
          await writeAll(this.file, bytes);
          this.size += bytes.length;
        }
        await this.file.sync();
      } catch (cause) {
        await this.undo(begin);
        this.broken = unwritable(this.path, cause);
        for (const { reject } of [...batch, ...this.waiting]) reject(this.broken);
        this.waiting = [];
        break;
      }
      let offset = begin;
      for (const { bytes, resolve } of batch) {
        resolve(offset);
        offset += bytes.length;
      }
    }
    this.writing = null;
  }

  /** A line that was refused must not be found later, half or whole. */
  private async undo(size: number): Promise<void> {
    this.size = size;
    // If even this fails the next open cuts an incomplete line; `broken` keeps us from going on.
    await this.file.truncate(size).catch(() => {});
  }

  /** Yields the lines that are durable now, from the first or from `offset`. */
  lines(offset = 0): AsyncGenerator<Line> {
    return readLines(this.path, offset, this.size);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writing;
    this.file.close();
  }
}

/**
 * Yields the whole lines of a file between two offsets.
 * @param end default: where the file ends now.
 * @throws Deno.errors.NotFound and others; TypeError when it is not UTF-8.
 */
export async function* readLines(
  path: string,
  offset = 0,
  end?: number,
): AsyncGenerator<Line> {
  using file = await Deno.open(path, { read: true });
  await file.seek(offset, Deno.SeekMode.Start);
  let rest = "";
  let at = offset;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const buffer = new Uint8Array(64 * 1024);
  for (let left = (end ?? (await file.stat()).size) - offset; left > 0;) {
    const count = await file.read(buffer.subarray(0, Math.min(left, buffer.length)));
    if (count === null) break;
    left -= count;
    const parts = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\n");
    rest = parts.pop()!;
    for (const text of parts) {
      const end = at + new TextEncoder().encode(text).length + 1;
      yield { offset: at, end, text };
      at = end;
    }
  }
}

async function lastLineEnd(file: Deno.FsFile, size: number): Promise<number> {
  const buffer = new Uint8Array(64 * 1024);
  for (let end = size; end > 0;) {
    const begin = Math.max(0, end - buffer.length);
    await file.seek(begin, Deno.SeekMode.Start);
    let filled = 0;
    while (filled < end - begin) {
      const count = await file.read(buffer.subarray(filled, end - begin));
      if (count === null) break;
      filled += count;
    }
    const found = buffer.subarray(0, filled).lastIndexOf(0x0a);
    if (found >= 0) return begin + found + 1;
    end = begin;
  }
  return 0;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** The file's name must be durable too, not only its content. */
async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path.slice(0, path.lastIndexOf("/")) || "/", { read: true });
  await folder.sync();
}

function unwritable(path: string, cause: unknown): VeiError {
  return new VeiError({
    code: "log-unwritable",
    message: `Cannot write to ${path}: ${messageOf(cause)}`,
    hint: "no request is answered without a receipt: free some space, or mend the disk",
    exit: Exit.io,
    cause,
  });
}

function shortened(path: string, found: number, wanted: number): VeiError {
  return new VeiError({
    code: "log-shortened",
    message: `Receipts are gone from ${path}: it has ${found} whole bytes, and had ${wanted}`,
    hint: "restore the file from a copy; to begin anew, move it and kv.db away together",
    exit: Exit.io,
  });
}
