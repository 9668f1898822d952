/**
 * Table and predicate accept the same payloads, by a bisimulation: every byte leads from each of its
 * pairs to one of them, and both sides of each agree on whether a payload may end. So the walk
 * accepts exactly what the predicate does, of every length; but a payload of more than 1,536 bytes
 * that is not decided by then is dropped, where the predicate looks further.
 */
import { concat, equalBytes, hex, sha256, unhex } from "../../../base/bytes.ts";
import { refuse } from "../refusal.ts";
import { once } from "./once.ts";
import { Pairs, type TableClaim } from "./pairs.ts";

/** Asked after each pair; what it returns is waited for, so that others may work too. */
export type Pause = () => Promise<void> | null;

/** How a certificate begins: 8 bytes of magic, 32 of digest. Then the states of all pairs follow. */
export const HEADER_BYTES = 40;

/** @returns how a certificate of the claim begins: it is bound to predicate, table, walk's numbers. */
export async function headerOf({ predicate, table, config }: TableClaim): Promise<Uint8Array> {
  const plain = (_: string, value: unknown) => value instanceof Uint8Array ? hex(value) : value;
  const text = JSON.stringify(predicate, plain);
  const walk = concat(config.subarray(28, 40), config.subarray(43, 56));
  const claimed = new TextEncoder().encode(`${text}\n${hex(walk)}\n${await sha256(table)}`);
  return concat(new TextEncoder().encode("VEItab2\n"), unhex(await sha256(claimed)));
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
  if (!equalBytes(certificate.subarray(0, HEADER_BYTES), await headerOf(claim))) {
    throw refuse("certificate", "it is none, or for another predicate or table");
  }
  const states = await checkPairs(new Pairs(claim), certificate.subarray(HEADER_BYTES), pause);
  return states.length / 2;
}

/**
 * The bisimulation itself. All pairs that any bytes lead to are found, in the order of the shortest.
 * @param named their states, as a certificate names them; without one they are only found.
 * @returns their states, u16 each, little-endian.
 * @throws as checkTable.
 */
export async function checkPairs(
  both: Pairs,
  named: Uint8Array | null,
  pause: Pause = () => null,
): Promise<Uint8Array> {
  const states: number[] = [];
  const pairs = new Map([[`${both.first.map(({ id }) => id)}`, both.first]]);
  for (const [walk, rest] of pairs.values()) {
    if (walk.ends() !== rest.ends()) {
      throw refuse("table", `of pair ${states.length / 2} only one of table and predicate accepts`);
    }
    const state = both.states.get(walk)!;
    states.push(state & 0xff, state >> 8);
    for (const byte of both.bytes) {
      const next = [walk.derive(byte), rest.derive(byte)] as const;
      once(pairs, `${next.map(({ id }) => id)}`, () => next);
    }
    await pause();
  }
  const found = Uint8Array.from(states);
  if (named === null || equalBytes(named, found)) return found;
  throw refuse("certificate", `it does not name the ${found.length / 2} pairs that there are`);
}
