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

export class LogIndex implements Disposable {
  private constructor(private readonly kv: Deno.Kv) {}

  /** @param path absolute. @throws VeiError `index-unusable`. */
  static async open(path: string): Promise<LogIndex> {
    try {
      return new LogIndex(await Deno.openKv(path));
    } catch (cause) {
      throw new VeiError({
        code: "index-unusable",
        message: `Cannot open the index ${path}: ${messageOf(cause)}`,
        hint: "move it away: it is made anew from the log",
        exit: Exit.io,
        cause,
      });
    }
  }

  /** @returns up to where the log is indexed, in bytes; 0 where nothing is. */
  async indexed(): Promise<number> {
    const { value } = await this.kv.get<Uint8Array>(["indexed"]);
    return value === null ? 0 : Number(decoder.decode(value));
  }

  /** Adds a receipt, and that the log is indexed up to `end`. */
  async add({ id, sequence, offset }: Place, end: number): Promise<void> {
    await this.kv.atomic()
      .set(["receipt", id], encoder.encode(JSON.stringify({ id, sequence, offset })))
      .set(["sequence", sequence], encoder.encode(id))
      .set(["indexed"], encoder.encode(String(end)))
      .commit();
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

  /** Forgets everything. */
  async clear(): Promise<void> {
    for await (const { key } of this.kv.list({ prefix: [] })) await this.kv.delete(key);
  }

  [Symbol.dispose](): void {
    this.kv.close();
  }
}
