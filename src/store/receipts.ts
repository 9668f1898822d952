/**
 * Intents and receipts. An intent is durable before the prompt goes out, the receipt before the
 * last byte reaches the user; each intent gets exactly one receipt, after a crash too.
 */
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { canonicalJson } from "../base/canonical.ts";
import { decodeEnvelope, encodeEnvelope, type Envelope, isSealedBy } from "../receipt/dsse.ts";
import { decodeStatement, encodeStatement, type Receipt } from "../receipt/statement.ts";
import type { PublicKey } from "../receipt/keys.ts";
import { LogIndex, type Place } from "./index_kv.ts";
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
  /** The key of `sign`: each receipt that names it is checked against it at the start. */
  key?: PublicKey;
  /** Told at the start, after each thousand or so, how many receipts have been found good. */
  checked?(count: number): void;
  /** Told of what does not stop the store, but that its operator should know. */
  notice?(message: string): void;
}

/** Signatures that are being verified at the start, at most. */
const CHECKS_AT_ONCE = 1024;

export class ReceiptStore implements AsyncDisposable {
  private readonly open = new Map<string, Intent>();
  private sequence = 0;
  private signer: string | null = null;
  /** Receipts that are durable, but that the index did not take yet. */
  private unindexed: Place[] = [];
  /** Sequence numbers have no holes, so receipts are written one after the other. */
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly parts: StoreParts,
    private readonly log: LogFile,
    private readonly index: LogIndex,
  ) {}

  /**
   * Reads the log, checks every signature in it, and makes the index fit it. An index that knows
   * of more than the log holds is a witness that receipts are gone.
   * @throws VeiError `log-damaged` naming the line, `log-shortened`, `log-unwritable`,
   * `index-unusable`.
   */
  static async open(parts: StoreParts): Promise<ReceiptStore> {
    await using stack = new AsyncDisposableStack();
    const index = stack.use(await LogIndex.open(`${parts.folder}/kv.db`));
    const path = `${parts.folder}/receipts.log`;
    const log = stack.use(await LogFile.open(path, await index.indexed()));
    const store = new ReceiptStore(parts, log, index);
    await store.load();
    stack.move();
    return store;
  }

  private async load(): Promise<void> {
    const places: Place[] = [];
    let end = 0;
    let number = 0;
    // Other threads verify signatures while this one reads on.
    let checks: Promise<VeiError | null>[] = [];
    const settle = async () => {
      const faults = await Promise.all(checks);
      checks = [];
      for (const fault of faults) if (fault) throw fault;
    };
    try {
      for await (const line of this.log.lines()) {
        const where = `${this.log.path}:${++number}`;
        const entry = readLine(line, where);
        if ("intent" in entry) {
          this.open.set(entry.intent.id, entry.intent);
          continue;
        }
        const { id, sequence } = entry.receipt;
        if (sequence !== this.sequence + 1) {
          throw damaged(where, `sequence ${sequence} after ${this.sequence}`);
        }
        checks.push(this.signerFault(entry, where));
        end = line.end;
        this.sequence = sequence;
        this.open.delete(id);
        places.push({ id, sequence, offset: line.offset });
        if (checks.length < CHECKS_AT_ONCE) continue;
        await settle();
        this.parts.checked?.(places.length);
      }
    } catch (cause) {
      await settle(); // A fault in a line before this one is told first.
      throw cause;
    }
    await settle();
    if (await this.index.indexed() === end && await this.index.holds(places)) return;
    await this.index.rebuild(places, end);
    if (places.length === 0) return;
    this.parts.notice?.(
      `the index did not fit, and was made anew from the log: ${places.length} receipts`,
    );
  }

  /** @returns what is wrong with the receipt's signer or signature; null where nothing is. */
  private async signerFault(
    { sealed }: SignedEntry,
    where: string,
  ): Promise<VeiError | null> {
    const { keyId } = sealed;
    this.signer ??= keyId;
    if (keyId !== this.signer) return damaged(where, "it is signed with another key");
    const { key } = this.parts;
    if (key?.fingerprint !== keyId) return null;
    return await isSealedBy(sealed, key) ? null : damaged(where, "the signature does not fit");
  }

  /** How many receipts there are: the last one's sequence number. */
  get count(): number {
    return this.sequence;
  }

  /** Fingerprint of the key that signed the receipts found at the start; null without any. */
  get lastSigner(): string | null {
    return this.signer;
  }

  /** Intents without a receipt: what a crash interrupted. */
  get unfinished(): Intent[] {
    return [...this.open.values()];
  }

  /** Makes the intent durable. @throws VeiError `log-unwritable`: then nothing may be sent. */
  async begin(intent: Intent): Promise<void> {
    await this.log.append(canonicalJson({ intent }));
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
    this.sequence = receipt.sequence;
    this.open.delete(id);
    await this.addToIndex(
      { id, sequence: receipt.sequence, offset },
      offset + new TextEncoder().encode(text).length + 1,
    );
    return envelope;
  }

  /** A failure here does not undo what is durable: the next receipt takes this one along. */
  private async addToIndex(place: Place, end: number): Promise<void> {
    this.unindexed.push(place);
    try {
      await this.index.add(this.unindexed, end);
      this.unindexed = [];
    } catch (cause) {
      // Found all the same: `get` and `latest` look at what waits, and the next start mends it.
      if (this.unindexed.length > 1) return;
      this.parts.notice?.(
        `cannot index receipt ${place.sequence}, which is safe in the log: ${messageOf(cause)}; ` +
          "free some space, and later ones take it along",
      );
    }
  }

  /** @returns the envelope's text, or null. */
  async get(id: string): Promise<string | null> {
    const place = this.unindexed.find((one) => one.id === id) ?? await this.index.find(id);
    if (!place) return null;
    for await (const line of this.log.lines(place.offset)) {
      const entry = readLine(line, this.log.path);
      return "receipt" in entry && entry.receipt.id === id ? entry.envelope : null;
    }
    return null;
  }

  /** @returns ids of receipts, the latest first. */
  async latest(limit: number, before?: number): Promise<string[]> {
    const waiting = this.unindexed.toReversed()
      .filter(({ sequence }) => before === undefined || sequence < before)
      .map(({ id }) => id).slice(0, limit);
    if (waiting.length === limit) return waiting;
    // An `add` that failed half-way may have left some of these in the index as well.
    const indexed = await this.index.latest(limit, before);
    return [...new Set([...waiting, ...indexed])].slice(0, limit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.turn;
    await this.log[Symbol.asyncDispose]();
    this.index[Symbol.dispose]();
  }
}

interface SignedEntry {
  receipt: Receipt;
  /** Its text. */
  envelope: string;
  sealed: Envelope;
}
type Entry = { intent: Intent } | SignedEntry;

function readLine(line: Line, where: string): Entry {
  try {
    const value = JSON.parse(line.text);
    if (value.intent !== undefined) return { intent: value.intent };
    const envelope = canonicalJson(value.receipt);
    const sealed = decodeEnvelope(envelope);
    return { receipt: decodeStatement(sealed.payload), envelope, sealed };
  } catch (cause) {
    throw damaged(where, messageOf(cause));
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
