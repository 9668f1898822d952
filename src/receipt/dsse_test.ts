import { assertEquals, assertThrows } from "@std/assert";
import { hex, unhex } from "../base/bytes.ts";
import {
  decodeEnvelope,
  encodeEnvelope,
  isSealedBy,
  preAuthenticationEncoding,
  seal,
} from "./dsse.ts";
import { sign, signingKey, verify } from "./keys.ts";

const text = (value: string) => new TextEncoder().encode(value) as Uint8Array<ArrayBuffer>;

// RFC 8032, section 7.1, tests 1 to 3.
const VECTORS = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
];

Deno.test("Ed25519: the vectors of RFC 8032", async () => {
  for (const [seed, raw, message, signature] of VECTORS) {
    const key = await signingKey(unhex(seed));
    assertEquals(hex(key.publicKey.raw), raw);
    assertEquals(hex(await sign(key, unhex(message))), signature);
    assertEquals(await verify(key.publicKey, unhex(message), unhex(signature)), true);
  }
});

Deno.test("DSSE: the vector of the protocol's specification", () => {
  const encoded = preAuthenticationEncoding("http://example.com/HelloWorld", text("hello world"));
  assertEquals(
    new TextDecoder().decode(encoded),
    "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  );
});

Deno.test("an envelope has one form: any other spelling of it is refused", async () => {
  const key = await signingKey(new Uint8Array(32).fill(1));
  const good = encodeEnvelope(await seal(text('{"a":1}'), key));
  assertEquals(encodeEnvelope(decodeEnvelope(good)), good);
  const sig = JSON.parse(good).signatures[0].sig as string;
  for (
    const bad of [
      "",
      "{}",
      " " + good,
      good + "\n",
      good.replace("{", '{"note":"unsigned",'),
      good.replace('"keyid"', '"keyid":"x","keyid"'),
      good.replace("]", ',{"keyid":"x","sig":""}]'),
      good.replace("==", ""),
      good.replace(sig, sig.slice(0, 10) + "\\n" + sig.slice(10)),
      good.replace('{"payload"', '{"payload":"","payload"'),
    ]
  ) assertThrows(() => decodeEnvelope(bad), SyntaxError, "", bad);
});

Deno.test("one bit changed anywhere: the signature is no longer the key's", async () => {
  const key = await signingKey(new Uint8Array(32).fill(1));
  const envelope = await seal(text('{"a":1}'), key);
  assertEquals(await isSealedBy(envelope, key.publicKey), true);
  for (let bit = 0; bit < 8 * envelope.payload.length; bit++) {
    const payload = envelope.payload.slice();
    payload[bit >> 3] ^= 1 << (bit & 7);
    assertEquals(await isSealedBy({ ...envelope, payload }, key.publicKey), false);
  }
  for (let bit = 0; bit < 512; bit++) {
    const signature = envelope.signature.slice();
    signature[bit >> 3] ^= 1 << (bit & 7);
    assertEquals(await isSealedBy({ ...envelope, signature }, key.publicKey), false);
  }
  assertEquals(await isSealedBy({ ...envelope, payloadType: "text/plain" }, key.publicKey), false);
  const other = await signingKey(new Uint8Array(32).fill(2));
  assertEquals(await isSealedBy(envelope, other.publicKey), false);
});
