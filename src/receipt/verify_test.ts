import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { unhex } from "../base/bytes.ts";
import { encodeEnvelope, seal } from "./dsse.ts";
import { type SigningKey, signingKey } from "./keys.ts";
import { digestOf, sampleReceipt } from "../../tests/tools/sample_receipt.ts";
import { encodeStatement, proofIdOf, type Receipt } from "./statement.ts";
import { uuid7 } from "./uuid7.ts";
import { verifyReceipt } from "./verify.ts";

const sample = (key: SigningKey) => sampleReceipt(key.publicKey.fingerprint);

const sealed = async (receipt: Receipt, key: SigningKey) =>
  encodeEnvelope(await seal(encodeStatement(receipt), key));

const key = await signingKey(unhex(digestOf("1")));
const other = await signingKey(unhex(digestOf("2")));

Deno.test("VALID against a trusted key, UNVERIFIABLE without one, naming the signer", async () => {
  const receipt = await sample(key);
  const bundle = await sealed(receipt, key);
  for (const text of [bundle, bundle + "\n"]) {
    const valid = await verifyReceipt(text, [other.publicKey, key.publicKey]);
    assertEquals(valid, { result: "VALID", receipt, signer: key.publicKey.fingerprint });
  }
  for (const trusted of [[], [other.publicKey]]) {
    const answer = await verifyReceipt(bundle, trusted);
    assertEquals(answer.result, "UNVERIFIABLE");
    assertEquals("signer" in answer && answer.signer, key.publicKey.fingerprint);
  }
});

Deno.test("INVALID after one bit of the bundle is changed, in every byte", async () => {
  const bundle = new TextEncoder().encode(await sealed(await sample(key), key));
  const parts = new Set<string>();
  // Every bit takes half a minute; a stride that is prime to 8 meets every byte and bit position.
  for (let bit = 0; bit < 8 * bundle.length; bit += 7) {
    const changed = bundle.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    const text = new TextDecoder("latin1").decode(changed);
    const answer = await verifyReceipt(text, [key.publicKey]);
    assertEquals(answer.result, "INVALID", `bit ${bit}`);
    if (answer.result === "INVALID") parts.add(answer.part);
  }
  assertEquals([...parts].sort(), ["envelope", "node", "payloadType", "signature"]);
});

Deno.test("a signature by another key under the trusted key's id is INVALID", async () => {
  const forged = await sealed(await sample(key), {
    privateKey: other.privateKey,
    publicKey: key.publicKey,
  });
  const answer = await verifyReceipt(forged, [key.publicKey]);
  assertEquals(answer.result === "INVALID" && answer.part, "signature");
});

Deno.test("what the key holder signed is still checked: proof_id, node, unknown fields", async () => {
  const good = await sample(key);
  const wrong = async (receipt: Receipt) => {
    const answer = await verifyReceipt(await sealed(receipt, key), [key.publicKey]);
    return answer.result === "INVALID" ? answer.part : answer.result;
  };
  assertEquals(await wrong({ ...good, proof_id: digestOf("0") }), "proof_id");
  assertEquals(await wrong({ ...good, node: other.publicKey.fingerprint }), "node");
  assertEquals(await wrong({ ...good, note: "x" } as Receipt), "statement");
  assertEquals(await wrong({ ...good, sequence: 0 }), "statement");
  assertEquals(await wrong({ ...good, id: "x" }), "statement");
});

Deno.test("proof_id is equal for equal requests and differs when any part does", async () => {
  const base = await sample(key);
  assertEquals((await sample(other)).proof_id, base.proof_id);
  const seen = new Set([base.proof_id]);
  const vary = async (receipt: Receipt) => {
    const id = await proofIdOf(receipt);
    assertEquals(seen.has(id), false);
    seen.add(id);
  };
  const change = (value: unknown): unknown =>
    typeof value === "number"
      ? value + 1
      : value === digestOf("0")
      ? digestOf("1")
      : `${value}`.replace(/.$/, (c) => c === "0" ? "1" : "0");
  await vary({ ...base, input: { ...base.input, sha256: digestOf("0") } });
  for (const part of ["policy", "model", "diode", "enclave", "program"] as const) {
    for (const [name, value] of Object.entries(base[part]!)) {
      await vary({ ...base, [part]: { ...base[part], [name]: change(value) } } as Receipt);
    }
  }
  await vary({ ...base, diode: null });
  await vary({ ...base, enclave: null });
  // What the answer does not depend on does not count.
  assertEquals(
    await proofIdOf({ ...base, sequence: 9, output: { sha256: digestOf("0"), bytes: 9 } }),
    base.proof_id,
  );
});

Deno.test("UUIDs of version 7: the example of RFC 9562, appendix A.6", () => {
  // unix_ts_ms 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F
  const random = unhex("0cc318c4dc0c0c07398f");
  assertEquals(uuid7(0x017f22e279b0, random), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  assertNotEquals(uuid7(0x017f22e279b1, random), uuid7(0x017f22e279b0, random));
  assertThrows(() => uuid7(-1, random), RangeError);
  assertThrows(() => uuid7(0, new Uint8Array(9)), RangeError);
});

const DIGEST = digestOf("1");
const CHANGE = { before: DIGEST, after: digestOf("2") };
const RELOAD: NonNullable<Receipt["reload"]> = {
  generation: 2,
  changed: ["policy.default"],
  config: { before: null, after: DIGEST },
  policy: CHANGE,
  diode: null,
};

Deno.test("a reload's entry is VALID, applied or interrupted, and nothing else has its parts", async () => {
  const good = await sample(key);
  const applied = { outcome: "applied" } as const;
  const judge = async (parts: Partial<Receipt>) =>
    (await verifyReceipt(await sealed({ ...good, ...parts }, key), [key.publicKey])).result;
  const interrupted = { outcome: "interrupted", why: "the daemon ended" } as const;
  for (const verdict of [applied, interrupted]) {
    assertEquals(await judge({ kind: "reload", reload: RELOAD, verdict }), "VALID");
  }
  const diode = { ...RELOAD, diode: CHANGE };
  assertEquals(await judge({ kind: "reload", reload: diode, verdict: applied }), "VALID");
  for (
    const parts of [
      { kind: "reload", verdict: applied },
      { kind: "reload", reload: RELOAD },
      { reload: RELOAD },
      { verdict: applied },
      { kind: "incident", verdict: applied },
      { kind: "reload", verdict: applied, reload: { ...RELOAD, changed: [] } },
      { kind: "reload", verdict: applied, reload: { ...RELOAD, generation: 1 } },
    ] satisfies Partial<Receipt>[]
  ) assertEquals(await judge(parts), "INVALID", JSON.stringify(parts));
});

Deno.test("an exchange whose diode was replaced names those that came after", async () => {
  const good = await sample(key);
  const next = { program_id: 3, diode: good.diode!, counters_after: { pass: 1 } };
  const kernel = { ...good.kernel!, replaced_by: [next] };
  const answer = await verifyReceipt(await sealed({ ...good, kernel }, key), [key.publicKey]);
  assertEquals(answer.result, "VALID");
  const none = await sealed({ ...good, kernel: { ...kernel, replaced_by: [] } }, key);
  assertEquals((await verifyReceipt(none, [key.publicKey])).result, "INVALID");
});
