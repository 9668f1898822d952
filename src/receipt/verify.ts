/**
 * Verification of one receipt, offline. VALID only against a key that the verifier already trusts:
 * what a bundle says of its own key is never an anchor.
 */
import nacl from "tweetnacl";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import {
  decodeEnvelope,
  type Envelope,
  isSealedBy,
  PAYLOAD_TYPE,
  preAuthenticationEncoding,
} from "./dsse.ts";
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
 * @throws VeiError `judges-disagree` (70): a second, independent implementation of Ed25519 does not
 * call good what WebCrypto calls good. Then neither is believed.
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
  if (key && !secondJudge(envelope, key)) throw judgesDisagree();
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

/** WebCrypto decides; what it calls good is checked again by pure JavaScript. */
function secondJudge({ payloadType, payload, signature }: Envelope, key: PublicKey): boolean {
  const message = preAuthenticationEncoding(payloadType, payload);
  return signature.length === nacl.sign.signatureLength &&
    nacl.sign.detached.verify(message, signature, key.raw);
}

function judgesDisagree(): VeiError {
  return new VeiError({
    code: "judges-disagree",
    message: "WebCrypto and tweetnacl disagree on this signature",
    hint: "believe neither; keep the file and report it",
    exit: Exit.internal,
  });
}
