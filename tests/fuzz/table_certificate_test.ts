/** Whatever a certificate holds, the checker's answer is a number of pairs or a refusal: and soon. */
import { assert, assertEquals } from "@std/assert";
import { VeiError } from "../../src/base/errors.ts";
import { checkPairs, checkTable, HEADER_BYTES } from "../../src/proof/checker/table/check.ts";
import { Pairs } from "../../src/proof/checker/table/pairs.ts";
import { tableCertificate } from "../../src/proof/table_certificate.ts";
import { type Random, seeded } from "../judge/random.ts";
import { claimOfText, refusal } from "../proof/claims.ts";

const TEXTS = [
  "utf8",
  "json_depth <= 2",
  "all printable within 16",
  'starts_with_any ["{", "["]',
  'size > 2 and not contains "hate" within 20',
  "not matches /\\b(?:hate|kill)s?\\b/i",
  "nothing",
];

/** @returns the bytes with something wrong. */
function damaged(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const [at, length] = [random.below(bytes.length + 1), random.below(16)];
  switch (random.below(6)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
    case 2:
      return new Uint8Array([...bytes.subarray(0, at), ...other.subarray(random.below(at + 1))]);
    case 3:
      return new Uint8Array([...bytes, ...random.bytes(length)]);
    default: {
      const changed = bytes.slice();
      for (let n = random.below(3); n >= 0; n--) {
        changed[random.below(changed.length + 1)] = random.once(2) ? random.below(256) : 0xff;
      }
      return changed;
    }
  }
}

Deno.test("100,000 damaged certificates: an answer or a refusal, never a crash or a hang", async () => {
  const random = seeded(78);
  const all = await Promise.all(TEXTS.map(async (text) => {
    const claim = claimOfText(text);
    const certificate = await tableCertificate(claim);
    const states = certificate.subarray(HEADER_BYTES);
    return { claim, certificate, states, both: new Pairs(claim) };
  }));
  let [refused, whole] = [0, 0];
  while (refused + whole < 100_000) {
    const { both, states } = random.pick(all);
    const changed = damaged(random, states, random.pick(all).states);
    try {
      // A damage may change nothing.
      assertEquals(await checkPairs(both, changed), states);
      assertEquals(changed, states);
      whole++;
    } catch (error) {
      assert(error instanceof VeiError && /^proof-/.test(error.code), String(error));
      refused++;
    }
  }
  console.log(`${refused} refused, ${whole} unchanged`);
  assert(refused > 70_000);
  for (let i = 0; i < 2000; i++) {
    const { claim, certificate } = random.pick(all);
    const bytes = damaged(random, certificate, random.pick(all).certificate);
    const code = await refusal(() => checkTable(claim, bytes));
    assert(code === null || code === "proof-certificate", `${code}`);
  }
});
