/**
 * Table and predicate accept the same payloads, by a bisimulation: every byte leads from each of the
 * certificate's pairs to one of them, and both sides of each agree on whether a payload may end. So
 * the walk accepts exactly what the predicate does, of every length; but a payload of more than
 * 1,536 bytes that is not decided by then is dropped, where the predicate looks further.
 */
import { hex, sha256 } from "../../../base/bytes.ts";
import { refuse } from "../refusal.ts";
import { Pairs, type TableClaim } from "./pairs.ts";

/** Asked after each pair; what it returns is waited for, so that others may work too. */
export type Pause = () => Promise<void> | null;

/** A certificate, little-endian: 8 bytes of magic, 32 of binding, then an entry for each pair but the first. */
export const CERTIFICATE = {
  magic: "VEItab1\n",
  binding: 8,
  pairs: 40,
  /** u16 state, u32 index of an earlier pair, u8 the byte that leads from that one to this. */
  entryBytes: 7,
} as const;

/** @returns SHA-256 of what a certificate speaks of: predicate, table, the walk's numbers. */
export async function bindingOf({ predicate, table, config }: TableClaim): Promise<string> {
  const text = JSON.stringify(
    predicate,
    (_, value) => value instanceof Uint8Array ? hex(value) : value,
  );
  const walk = [...config.subarray(28, 40), ...config.subarray(43, 56)];
  return await sha256(
    new TextEncoder().encode(`${text}\n${hex(Uint8Array.from(walk))}\n${await sha256(table)}`),
  );
}

/**
 * @returns how many pairs there are.
 * @throws VeiError `proof-certificate`, `proof-table`, `proof-predicate`: what does not hold.
 */
export async function checkTable(
  claim: TableClaim,
  certificate: Uint8Array,
  pause?: Pause,
): Promise<number> {
  const { magic, binding, pairs } = CERTIFICATE;
  if (new TextDecoder().decode(certificate.subarray(0, binding)) !== magic) {
    throw refuse("certificate", "it is no certificate of a table");
  }
  if (hex(certificate.subarray(binding, pairs)) !== await bindingOf(claim)) {
    throw refuse("certificate", "it is for another predicate or table");
  }
  return await worked(checking(new Pairs(claim), certificate.subarray(pairs)), pause);
}

/** Takes all steps of some work, with pauses. @returns what it comes to. */
export async function worked<T>(
  steps: Generator<void, T>,
  pause: Pause = () => null,
): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    const waiting = pause();
    if (waiting !== null) await waiting;
  }
}

/** Takes all steps of some work, at once. @returns what it comes to. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The bisimulation itself, at once. @returns how many pairs there are. @throws as checkTable. */
export function checkPairs(both: Pairs, entries: Uint8Array): number {
  return atOnce(checking(both, entries));
}

function* checking(both: Pairs, entries: Uint8Array): Generator<void, number> {
  const { entryBytes } = CERTIFICATE;
  if (entries.length % entryBytes !== 0) throw refuse("certificate", "it is cut off");
  const view = new DataView(entries.buffer, entries.byteOffset, entries.length);
  const pairs = [both.first];
  const indices = new Map([[both.key(both.first), 0]]);
  for (let at = 0; at < entries.length; at += entryBytes) {
    const parent = pairs[view.getUint32(at + 2, true)];
    const pair = parent && both.after(parent, view.getUint8(at + 6));
    if (!pair || pair.state !== view.getUint16(at, true) || indices.has(both.key(pair))) {
      throw refuse("certificate", `pair ${pairs.length} is not a new one, as it says`);
    }
    indices.set(both.key(pair), pairs.length);
    pairs.push(pair);
    yield;
  }
  const next: number[][] = [];
  for (const [i, pair] of pairs.entries()) {
    if (both.ends(pair.state) !== pair.residual.accepts) {
      throw refuse("table", `of pair ${i} only one of table and predicate accepts`);
    }
    next.push([...both.next(pair)].map(([key, { byte }]) => {
      const target = indices.get(key);
      if (target === undefined) throw refuse("certificate", `byte ${byte} leads out of pair ${i}`);
      return target;
    }));
    yield;
  }
  both.checkEmpty(pairs.map(({ residual }) => residual.accepts), next);
  return pairs.length;
}
