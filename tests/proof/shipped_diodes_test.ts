/** Every shipped diode's table says what its predicate says: its certificate is made and checked. */
import { assert, assertEquals } from "@std/assert";
import { equalBytes } from "../../src/base/bytes.ts";
import { parseDiodeFile } from "../../src/policy/diode_file.ts";
import { checkTable } from "../../src/proof/checker/table/check.ts";
import { tableCertificate } from "../../src/proof/table_certificate.ts";
import { shippedDiode, shippedDiodes } from "../../diodes/shipped.ts";
import { claimOf, claimOfText, type OwnClaim, refusal } from "./claims.ts";

const MOST_BYTES = 200_000;

function shipped(): [name: string, claim: OwnClaim][] {
  return shippedDiodes().map((name) => [
    name,
    claimOf(parseDiodeFile(shippedDiode(name), `${name}.toml`).predicate),
  ]);
}

Deno.test("all shipped diodes: a small certificate, the same each time, that the checker accepts", async () => {
  for (const [name, claim] of shipped()) {
    const certificate = await tableCertificate(claim);
    assert(await checkTable(claim, certificate) > 0, name);
    assert(certificate.length < MOST_BYTES, `${name}: ${certificate.length} bytes`);
    assert(equalBytes(certificate, await tableCertificate(claim)), name);
  }
});

Deno.test("a certificate of another diode, damaged or cut off is refused", async () => {
  const all = shipped();
  for (const [name, claim] of all) {
    const certificate = await tableCertificate(claim);
    const refused = (bytes: Uint8Array) => refusal(() => checkTable(claim, bytes));
    for (const [, other] of all) {
      if (JSON.stringify(other) === JSON.stringify(claim)) continue;
      const code = await refused(await tableCertificate(other));
      assertEquals(code, "proof-certificate", name);
    }
    for (const length of [0, 1, 39, 40, certificate.length - 2, certificate.length - 1]) {
      assertEquals(await refused(certificate.subarray(0, length)), "proof-certificate", name);
    }
    const twice = new Uint8Array([...certificate, 0, 0]);
    assertEquals(await refused(twice), "proof-certificate", name);
    for (let i = 0; i < Math.min(certificate.length, 200); i++) {
      const flipped = certificate.slice();
      flipped[i] ^= 1 << i % 8;
      assertEquals(await refused(flipped), "proof-certificate", `${name} ${i}`);
    }
  }
});

/** Predicates that are near one another: what proves one must prove none of the others. */
const NEAR: string[][] = [
  [
    'not contains "hate" within 40',
    'not contains "hate" within 39',
    'not contains "hatf" within 40',
  ],
  ['contains "hate" within 40', 'not contains "hate" within 41', 'not contains "hate"'],
  [
    "all printable within 16",
    "all printable within 17",
    "all printable within 15",
    "all printable",
  ],
  ["all in [0x20..0x7d] within 16", "all in [0x1f..0x7e] within 16", "not all printable within 16"],
  ["json_depth <= 2", "json_depth < 2", "json_depth <= 3", "json_depth >= 2", "json_depth == 2"],
  [
    'size < 1400 and starts_with "{"',
    'size < 1401 and starts_with "{"',
    'size <= 1400 and starts_with "["',
  ],
  ['size < 1399 and starts_with "{"', 'size < 1400 or starts_with "{"', 'starts_with "{"'],
  [
    'size > 3 and contains "a"',
    'size >= 3 and contains "a"',
    'size == 4 and contains "a"',
    'contains "a"',
  ],
  [
    "matches /a{3}b/",
    "matches /a{4}b/",
    "matches /a{3}b/i",
    "matches /^a{3}b/",
    "matches /a{3}b$/",
  ],
  ["matches /\\bk\\b/iu", "matches /\\bk\\b/i", "matches /\\bk\\B/iu", "matches /k/iu"],
  ["matches /^a$/m", "matches /^a$/", "matches /^.$/s", "matches /^.$/", "matches /^.$/u"],
  ["utf8", "anything", "nothing", "all in [0x00..0xbf]"],
];

Deno.test("the certificate of one predicate proves no other, and its table neither", async () => {
  for (const row of NEAR) {
    const others = [...row, ...NEAR.filter((other) => other !== row).map(([first]) => first)];
    for (const text of row) {
      const claim = claimOfText(text);
      const certificate = await tableCertificate(claim);
      await checkTable(claim, certificate);
      for (const other of others.filter((one) => one !== text)) {
        const { predicate } = claimOfText(other);
        const asked = { ...claim, predicate };
        assertEquals(await refusal(() => checkTable(asked, certificate)), "proof-certificate");
        // Nor does one that is made for the two, as well as it can be.
        const code = await refusal(async () => checkTable(asked, await tableCertificate(asked)));
        assertEquals(code, "proof-table", `${text}: ${other}`);
      }
    }
  }
});
