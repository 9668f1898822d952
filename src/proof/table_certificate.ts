/** Makes the certificate that a diode's table says what its predicate does. Not trusted. */
import { concat } from "../base/bytes.ts";
import { checkPairs, headerOf, type Pause } from "./checker/table/check.ts";
import { Pairs, type TableClaim } from "./checker/table/pairs.ts";

/**
 * @returns the certificate, the same for the same claim.
 * @throws VeiError `proof-table` or `proof-predicate` for what has no certificate.
 */
export async function tableCertificate(
  claim: TableClaim,
  pause?: Pause,
): Promise<Uint8Array<ArrayBuffer>> {
  return concat(await headerOf(claim), await checkPairs(new Pairs(claim), null, pause));
}
