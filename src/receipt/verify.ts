/**
 * Verification of one receipt, offline. VALID only against a key that the verifier already trusts:
 * what a bundle says of its own key is never an anchor.
 */
import { messageOf } from "../base/errors.ts";
import { decodeEnvelope, type Envelope, isSealedBy, PAYLOAD_TYPE } from "./dsse.ts";
import type { PublicKey } from "./keys.ts";
import { decodeStatement, proofIdOf, type Receipt } from "./statement.ts";

export type Verification =
  | { result: "VALID"; receipt: Receipt; signer: string }
  /** `part` does not fit. */
  | { result: "INVALID"; part: string; why: string }
  /** Well formed, but no trusted key is the signer's. */
  | { result: "UNVERIFIABLE"; why: string; signer: string };

/**
 * @param text a receipt as exported: one DSSE envelope, optionally with a final line end.
 * @param trusted keys that the verifier has from elsewhere.
 */
export async function verifyReceipt(
  text: string,
  trusted: readonly PublicKey[],
): Promise<Verification> {
  let envelope: Envelope;
  try {
    envelope = decodeEnvelope(text.replace(/\n$/, ""));
  } catch (cause) {
    return { result: "INVALID", part: "envelope", why: messageOf(cause) };
  }
  if (envelope.payloadType !== PAYLOAD_TYPE) {
    return { result: "INVALID", part: "payloadType", why: `it is not ${PAYLOAD_TYPE}` };
  }
  const key = trusted.find((one) => one.fingerprint === envelope.keyId);
  if (key && !(await isSealedBy(envelope, key))) {
    const why = "the signature is not this key's for these bytes";
    return { result: "INVALID", part: "signature", why };
  }
  let receipt: Receipt;
  try {
    receipt = decodeStatement(envelope.payload);
  } catch (cause) {
    return { result: "INVALID", part: "statement", why: messageOf(cause) };
  }
  if (receipt.node !== envelope.keyId) {
    return { result: "INVALID", part: "node", why: "it names another key than the signature" };
  }
  if (await proofIdOf(receipt) !== receipt.proof_id) {
    return { result: "INVALID", part: "proof_id", why: "it is not the digest of the request" };
  }
  if (!key) {
    const why = "no trusted key is the signer's";
    return { result: "UNVERIFIABLE", why, signer: envelope.keyId };
  }
  return { result: "VALID", receipt, signer: key.fingerprint };
}
