/**
 * Intents and receipts. An intent is durable before the prompt goes out, the receipt before the
 * last byte reaches the user; each intent gets exactly one receipt, after a crash too.
 */
import { Exit, VeiError } from "../base/errors.ts";
import { canonicalJson } from "../base/canonical.ts";
import { decodeEnvelope, encodeEnvelope, type Envelope } from "../receipt/dsse.ts";
import { decodeStatement, encodeStatement, type Receipt } from "../receipt/statement.ts";
import { LogIndex } from "./index_kv.ts";
import { type Line, LogFile } from "./log_file.ts";

/** What is fixed before the prompt goes out. */
export type Intent = Omit<Receipt, "sequence" | "time" | "output" | "verdict" | "kernel"> & {
  start: string;
  kernel: Omit<NonNullable<Receipt["kernel"]>, "counters_after" | "drops"> | null;
};

/** What comes at the end. */
export type Outcome = Pick<Receipt, "time" | "output" | "verdict" | "kernel">;

export interface StoreParts {
  /** The state folder: `receipts.log` and `kv.db` are in it. */
  folder: string;
  sign(payload: Uint8Array<ArrayBuffer>): Promise<Envelope>;
}

export class ReceiptStore implements AsyncDisposable {
  private readonly open = new Map<string, Intent>();
  private sequence = 0;
  private end = 0;
  private signer: string | null = null;
  /** Sequence numbers have no holes, so receipts are written one after the other. */
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly parts: StoreParts,
    private readonly log: LogFile,
    private readonly index: LogIndex,
  ) {}

  /**
   * Reads the log, and makes the index fit it.
   * @throws VeiError `log-damaged` naming the line, `log-unwritable`, `index-unusable`.
   */
  static async open(parts: StoreParts): Promise<ReceiptStore> {
    await using stack = new AsyncDisposableStack();
    const log = stack.use(await LogFile.open(`${parts.folder}/receipts.log`));
    const index = stack.use(await LogIndex.open(`${parts.folder}/kv.db`));
    const store = new ReceiptStore(parts, log, index);
    await store.load();
    stack.move();
    return store;
  }

  private async load(): Promise<void> {
    const places: { id: string; sequence: number; offset: number; end: number }[] = [];
    let number = 0;
    for await (const line of this.log.lines()) {
      number++;
      const entry = readLine(line, `${this.log.path}:${number}`);
      this.end = line.offset + new TextEncoder().encode(line.text).length + 1;
      if ("intent" in entry) {
        this.open.set(entry.intent.id, entry.intent);
        continue;
      }
      const { id, sequence } = entry.receipt;
      if (sequence !== this.sequence + 1) {
        throw damaged(`${this.log.path}:${number}`, `sequence ${sequence} after ${this.sequence}`);
      }
      this.sequence = sequence;
      this.signer = entry.signer;
      this.open.delete(id);
      places.push({ id, sequence, offset: line.offset, end: this.end });
    }
    const indexed = await this.index.indexed();
    const known = places.findLastIndex((place) => place.end === indexed);
    if (known < 0) await this.index.clear();
    for (const place of places.slice(known + 1)) await this.index.add(place, place.end);
  }

  /** How many receipts there are: the last one's sequence number. */
  get count(): number {
    return this.sequence;
  }

  /** Fingerprint of the key that signed the last receipt found at the start; null without any. */
  get lastSigner(): string | null {
    return this.signer;
  }

  /** Intents without a receipt: what a crash interrupted. */
  get unfinished(): Intent[] {
    return [...this.open.values()];
  }

  /** Makes the intent durable. @throws VeiError `log-unwritable`: then nothing may be sent. */
  async begin(intent: Intent): Promise<void> {
    const text = canonicalJson({ intent });
    const offset = await this.log.append(text);
    this.end = Math.max(this.end, offset + new TextEncoder().encode(text).length + 1);
    this.open.set(intent.id, intent);
  }

  /**
   * Signs the receipt of an intent and makes it durable.
   * @returns the envelope's text.
   * @throws VeiError `log-unwritable`: then the answer may not be completed; TypeError when the
   * intent is not open.
   */
  finish(id: string, outcome: Outcome): Promise<string> {
    const done = this.turn.then(() => this.write(id, outcome));
    this.turn = done.catch(() => {});
    return done;
  }

  private async write(id: string, outcome: Outcome): Promise<string> {
    const intent = this.open.get(id);
    if (!intent) throw new TypeError(`There is no open intent ${id}`);
    const { start: _, ...fixed } = intent;
    const receipt: Receipt = { ...fixed, ...outcome, sequence: this.sequence + 1 };
    const envelope = encodeEnvelope(await this.parts.sign(encodeStatement(receipt)));
    const text = canonicalJson({ receipt: JSON.parse(envelope) });
    const offset = await this.log.append(text);
    this.end = offset + new TextEncoder().encode(text).length + 1;
    this.sequence = receipt.sequence;
    this.open.delete(id);
    // The index can be made anew: a failure there does not undo what is durable.
    await this.index.add({ id, sequence: receipt.sequence, offset }, this.end).catch(() => {});
    return envelope;
  }

  /** @returns the envelope's text, or null. */
  async get(id: string): Promise<string | null> {
    const place = await this.index.find(id);
    if (!place) return null;
    for await (const line of this.log.lines(place.offset)) {
      const entry = readLine(line, this.log.path);
      return "receipt" in entry && entry.receipt.id === id ? entry.envelope : null;
    }
    return null;
  }

  /** @returns ids of receipts, the latest first. */
  latest(limit: number, before?: number): Promise<string[]> {
    return this.index.latest(limit, before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.turn;
    await this.log[Symbol.asyncDispose]();
    this.index[Symbol.dispose]();
  }
}

type Entry = { intent: Intent } | { receipt: Receipt; envelope: string; signer: string };

function readLine(line: Line, where: string): Entry {
  try {
    const value = JSON.parse(line.text);
    if (value.intent !== undefined) return { intent: value.intent };
    const envelope = canonicalJson(value.receipt);
    const { payload, keyId } = decodeEnvelope(envelope);
    return { receipt: decodeStatement(payload), envelope, signer: keyId };
  } catch (cause) {
    throw damaged(where, cause instanceof Error ? cause.message : String(cause));
  }
}

function damaged(where: string, why: string): VeiError {
  return new VeiError({
    code: "log-damaged",
    message: `The log is damaged at ${where}: ${why}`,
    hint: "keep the file as it is, and restore it from a copy; nothing is added to a damaged log",
    exit: Exit.io,
  });
}
