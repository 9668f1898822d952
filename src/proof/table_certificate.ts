/** Makes the certificate that a diode's table says what its predicate does. Not trusted. */
import { unhex } from "../base/bytes.ts";
import { atOnce, bindingOf, CERTIFICATE, type Pause, worked } from "./checker/table/check.ts";
import { Pairs, type TableClaim } from "./checker/table/pairs.ts";

/**
 * @returns the certificate, the same for the same claim. It says nothing about whether the claim
 * holds: `checkTable` does.
 * @throws VeiError `proof-table` or `proof-predicate` for what has no certificate.
 */
export async function tableCertificate(
  claim: TableClaim,
  pause?: Pause,
): Promise<Uint8Array<ArrayBuffer>> {
  const entries = await worked(searching(new Pairs(claim)), pause);
  const certificate = new Uint8Array(CERTIFICATE.pairs + entries.length);
  certificate.set(new TextEncoder().encode(CERTIFICATE.magic));
  certificate.set(unhex(await bindingOf(claim)), CERTIFICATE.binding);
  certificate.set(entries, CERTIFICATE.pairs);
  return certificate;
}

/** @returns the entries of all pairs that any bytes lead to, in the order of the shortest. */
export function pairing(both: Pairs): Uint8Array<ArrayBuffer> {
  return atOnce(searching(both));
}

function* searching(both: Pairs): Generator<void, Uint8Array<ArrayBuffer>> {
  const found = [{ pair: both.first, parent: 0, byte: 0 }];
  const known = new Set([both.key(both.first)]);
  for (let parent = 0; parent < found.length; parent++) {
    for (const [key, { to, byte }] of both.next(found[parent].pair)) {
      if (known.has(key)) continue;
      known.add(key);
      found.push({ pair: to, parent, byte });
    }
    yield;
  }
  const entries = new Uint8Array((found.length - 1) * CERTIFICATE.entryBytes);
  const view = new DataView(entries.buffer);
  found.slice(1).forEach(({ pair, parent, byte }, i) => {
    const at = i * CERTIFICATE.entryBytes;
    view.setUint16(at, pair.state, true);
    view.setUint32(at + 2, parent, true);
    view.setUint8(at + 6, byte);
  });
  return entries;
}
