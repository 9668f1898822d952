/** DSSE envelopes (secure-systems-lab/dsse v1.0.2), with exactly one byte form. */
import { base64, unbase64 } from "../base/base64.ts";
import { concat } from "../base/bytes.ts";
import { canonicalJson } from "../base/canonical.ts";
import { type PublicKey, sign, type SigningKey, verify } from "./keys.ts";

export const PAYLOAD_TYPE = "application/vnd.in-toto+json";

export interface Envelope {
  /** The payload's bytes. */
  readonly payload: Uint8Array<ArrayBuffer>;
  readonly payloadType: string;
  /** Fingerprint that the signer claims: a hint, not an anchor. */
  readonly keyId: string;
  /** 64 bytes. */
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** @returns the pre-authentication encoding, what is signed. */
export function preAuthenticationEncoding(type: string, payload: Uint8Array): Uint8Array {
  const typeLength = new TextEncoder().encode(type).length;
  const head = `DSSEv1 ${typeLength} ${type} ${payload.length} `;
  return concat(new TextEncoder().encode(head), payload);
}

/** @returns the signed envelope. */
export async function seal(payload: Uint8Array<ArrayBuffer>, key: SigningKey): Promise<Envelope> {
  const signature = await sign(key, preAuthenticationEncoding(PAYLOAD_TYPE, payload));
  return { payload, payloadType: PAYLOAD_TYPE, keyId: key.publicKey.fingerprint, signature };
}

/** @returns whether the envelope is signed by this key. */
export function isSealedBy(envelope: Envelope, key: PublicKey): Promise<boolean> {
  const message = preAuthenticationEncoding(envelope.payloadType, envelope.payload);
  return verify(key, message, envelope.signature);
}

/** @returns the envelope's one JSON text (RFC 8785). */
export function encodeEnvelope(envelope: Envelope): string {
  return canonicalJson({
    payload: base64(envelope.payload),
    payloadType: envelope.payloadType,
    signatures: [{ keyid: envelope.keyId, sig: base64(envelope.signature) }],
  });
}

/**
 * @returns the envelope.
 * @throws SyntaxError unless `text` is exactly what `encodeEnvelope` gives: no unsigned field, no
 * second signature, no other spelling.
 */
export function decodeEnvelope(text: string): Envelope {
  let envelope: Envelope;
  try {
    const { payload, payloadType, signatures } = JSON.parse(text);
    const [{ keyid, sig }] = signatures;
    for (const field of [payload, payloadType, keyid, sig]) {
      if (typeof field !== "string") throw new TypeError("a field is not a string");
    }
    const signature = unbase64(sig);
    envelope = { payload: unbase64(payload), payloadType, keyId: keyid, signature };
  } catch (cause) {
    throw new SyntaxError("Cannot read the envelope: it is not a DSSE envelope", { cause });
  }
  if (encodeEnvelope(envelope) !== text) {
    throw new SyntaxError("Cannot read the envelope: it is not in its one form");
  }
  return envelope;
}
