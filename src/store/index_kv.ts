/**
 * The index of the log in Deno KV: found by id and by sequence number. It holds nothing that the
 * log does not, and is made anew whenever it does not fit the log. Values are bytes: what V8 writes,
 * another version of it may not read.
 */
import { Exit, messageOf, VeiError } from "../base/errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Where a receipt's line begins in the log. */
export interface Place {
  readonly id: string;
  readonly sequence: number;
  readonly offset: number;
}

/** Two mutations each; Deno KV takes a thousand in one transaction. */
const PLACES_AT_ONCE = 400;

export class LogIndex implements Disposable {
  private constructor(private readonly kv: Deno.Kv, private readonly path: string) {}

  /**
   * Opens or makes the index. One that cannot be read is laid aside, as `PATH.damaged`: it holds
   * nothing that the log does not.
   * @param path absolute.
   * @throws VeiError `index-unusable` when no new one can be made either.
   */
  static async open(path: string): Promise<LogIndex> {
    try {
      return await LogIndex.readable(path);
    } catch (cause) {
      // A full or failing disk is another matter: there the index is kept, and said to be unusable.
      if (!isDamage(cause)) throw unusable(path, cause);
      await layAside(path);
    }
    try {
      return await LogIndex.readable(path);
    } catch (cause) {
      throw unusable(path, cause);
    }
  }

  private static async readable(path: string): Promise<LogIndex> {
    const index = new LogIndex(await Deno.openKv(path), path);
    try {
      await index.indexed();
      return index;
    } catch (cause) {
      index.kv.close();
      throw cause;
    }
  }

  /** @returns up to where the log is indexed, in bytes; 0 where nothing is. */
  async indexed(): Promise<number> {
    const { value } = await this.kv.get<Uint8Array>(["indexed"]);
    const bytes = value === null ? 0 : Number(decoder.decode(value));
    if (!Number.isSafeInteger(bytes)) throw new SyntaxError("no number of bytes");
    return bytes;
  }

  /** Adds receipts, the latest last; only the last of them says that all up to `end` are there. */
  async add(places: readonly Place[], end: number): Promise<void> {
    for (let from = 0; from < places.length; from += PLACES_AT_ONCE) {
      const some = places.slice(from, from + PLACES_AT_ONCE);
      const atomic = this.kv.atomic();
      for (const { id, sequence, offset } of some) {
        atomic.set(["receipt", id], encoder.encode(JSON.stringify({ id, sequence, offset })))
          .set(["sequence", sequence], encoder.encode(id));
      }
      if (from + some.length === places.length) {
        atomic.set(["indexed"], encoder.encode(String(end)));
      }
      await atomic.commit();
    }
  }

  /** @returns whether it holds exactly these, each under its id and its number. */
  async holds(places: readonly Place[]): Promise<boolean> {
    const byId = new Map(places.map((place) => [place.id, place]));
    let found = 0;
    const entries = <T>(prefix: string) =>
      this.kv.list<T>({ prefix: [prefix] }, { batchSize: 500, consistency: "eventual" });
    try {
      for await (const { key, value } of entries<Uint8Array>("receipt")) {
        const { id, sequence, offset } = JSON.parse(decoder.decode(value));
        const place = byId.get(id);
        if (key[1] !== id || place?.sequence !== sequence || place?.offset !== offset) return false;
        found++;
      }
      let sequence = 0;
      for await (const { key, value } of entries<Uint8Array>("sequence")) {
        const place = places[sequence++];
        if (key[1] !== sequence || place?.id !== decoder.decode(value)) return false;
      }
      return found === places.length && sequence === places.length;
    } catch {
      return false; // What cannot be read is made anew.
    }
  }

  async find(id: string): Promise<Place | null> {
    const { value } = await this.kv.get<Uint8Array>(["receipt", id]);
    return value === null ? null : JSON.parse(decoder.decode(value));
  }

  /** @returns ids, the latest first. @param before only those with a lesser sequence number. */
  async latest(limit: number, before = Number.MAX_SAFE_INTEGER): Promise<string[]> {
    const range = { prefix: ["sequence"], end: ["sequence", before] };
    const entries = this.kv.list<Uint8Array>(range, { limit, reverse: true });
    return (await Array.fromAsync(entries)).map(({ value }) => decoder.decode(value));
  }

  /**
   * Makes it anew.
   * @param places of all receipts, the latest last. @param end up to where the log was read.
   * @throws VeiError `index-unusable`.
   */
  async rebuild(places: readonly Place[], end: number): Promise<void> {
    try {
      for await (const { key } of this.kv.list({ prefix: [] })) await this.kv.delete(key);
      await this.add(places, end);
    } catch (cause) {
      throw unusable(this.path, cause);
    }
  }

  [Symbol.dispose](): void {
    this.kv.close();
  }
}

async function layAside(path: string): Promise<void> {
  // A write-ahead log without its database would be played into the next one.
  for (const end of ["", "-wal", "-shm"]) {
    await Deno.rename(path + end, `${path}.damaged${end}`).catch(() => {});
  }
}

/** SQLite's own words (sqlite.org/rescode.html: CORRUPT, NOTADB), or a value that is none of ours. */
function isDamage(cause: unknown): boolean {
  return cause instanceof SyntaxError || /malformed|not a database/i.test(messageOf(cause));
}

function unusable(path: string, cause: unknown): VeiError {
  return new VeiError({
    code: "index-unusable",
    message: `Cannot open the index ${path}: ${messageOf(cause)}`,
    hint: "free some space or mend the disk; it may also be moved away: it is made anew",
    exit: Exit.io,
    cause,
  });
}
