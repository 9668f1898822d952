/** Ed25519 keys (RFC 8032) by WebCrypto. */
import { concat, equalBytes, hex, sha256 } from "../base/bytes.ts";

/** The node's key, able to sign. */
export interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly publicKey: PublicKey;
}

/** A key to verify with. */
export interface PublicKey {
  readonly key: CryptoKey;
  /** 32 bytes. */
  readonly raw: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the SubjectPublicKeyInfo (RFC 8410), lower-case hex. */
  readonly fingerprint: string;
}

/** DER of SubjectPublicKeyInfo before the 32 key bytes (RFC 8410 §4). */
const SPKI_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0);
/** DER of PKCS#8 PrivateKeyInfo before the 32 seed bytes (RFC 8410 §7). */
const PKCS8_PREFIX = Uint8Array.of(
  0x30,
  0x2e,
  2,
  1,
  0,
  0x30,
  5,
  6,
  3,
  0x2b,
  0x65,
  0x70,
  4,
  0x22,
  4,
  0x20,
);

/** @param raw 32 bytes. @throws RangeError for any other length. */
export async function publicKey(raw: Uint8Array): Promise<PublicKey> {
  if (raw.length !== 32) throw new RangeError("An Ed25519 public key has 32 bytes");
  const spki = concat(SPKI_PREFIX, raw);
  const key = await crypto.subtle.importKey("spki", spki, "Ed25519", true, ["verify"]);
  return { key, raw: Uint8Array.from(raw), fingerprint: await sha256(spki) };
}

/** @param seed 32 secret bytes. @returns DER of PKCS#8. @throws RangeError for any other length. */
export function pkcs8Of(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  if (seed.length !== 32) throw new RangeError("An Ed25519 seed has 32 bytes");
  return concat(PKCS8_PREFIX, seed);
}

/** @returns the seed in what `pkcs8Of` gives. @throws SyntaxError for anything else. */
export function seedOf(pkcs8: Uint8Array): Uint8Array<ArrayBuffer> {
  const seed = pkcs8.slice(PKCS8_PREFIX.length) as Uint8Array<ArrayBuffer>;
  if (seed.length !== 32 || !equalBytes(pkcs8Of(seed), pkcs8)) {
    throw new SyntaxError("Cannot read PKCS#8: it is not an Ed25519 key");
  }
  return seed;
}

/** @param seed 32 secret bytes. @throws RangeError for any other length. */
export async function signingKey(seed: Uint8Array): Promise<SigningKey> {
  const pkcs8 = pkcs8Of(seed);
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const jwk = await crypto.subtle.exportKey("jwk", privateKey);
  const x = atob(jwk.x!.replaceAll("-", "+").replaceAll("_", "/"));
  const raw = Uint8Array.from(x, (character) => character.charCodeAt(0));
  return { privateKey, publicKey: await publicKey(raw) };
}

/** @returns 64 bytes. */
export async function sign(key: SigningKey, message: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = message as Uint8Array<ArrayBuffer>;
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, bytes));
}

/** @returns whether the signature is the key's for exactly this message. */
export function verify(
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return crypto.subtle.verify(
    "Ed25519",
    key.key,
    signature as Uint8Array<ArrayBuffer>,
    message as Uint8Array<ArrayBuffer>,
  );
}

/** @returns the public key as text: 64 hex digits. */
export function publicKeyText(key: PublicKey): string {
  return hex(key.raw);
}
