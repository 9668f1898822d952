import { assert, assertEquals, assertRejects } from "@std/assert";
import { base64 } from "../../../base/base64.ts";
import { VeiError } from "../../../base/errors.ts";
import shipped from "../../../../diodes/certificates/program.json" with { type: "json" };
import { type ProgramCertificate, verifyProgram } from "./verify.ts";
import { diodeProgram } from "../../../bpf/program.ts";

const FDS = { table: 11, config: 12, counters: 13, events: 14 };
const CERTIFICATE = shipped as unknown as ProgramCertificate;

async function refused(certificate: ProgramCertificate, words: RegExp): Promise<void> {
  const error = await assertRejects(
    () => verifyProgram(diodeProgram(FDS), FDS, certificate),
    VeiError,
  );
  assertEquals(error.code, "proof-certificate");
  assert(words.test(error.message), error.message);
}

Deno.test("the program is proved by the certificate that comes with it", async () => {
  const proof = await verifyProgram(diodeProgram(FDS), FDS, CERTIFICATE);
  assertEquals(proof.program, CERTIFICATE.program);
  assertEquals(proof.conditions, Object.keys(CERTIFICATE.proofs).length);
});

Deno.test("a certificate of something else is refused, and says why", async () => {
  const proofs = { ...CERTIFICATE.proofs };
  const { "end.pass": one, ...others } = proofs;
  await refused({ ...CERTIFICATE, program: "00" }, /is for the program 00/);
  await refused({ ...CERTIFICATE, format: "other" as "vei-program-proof/2" }, /another form/);
  await refused({ ...CERTIFICATE, proofs: others }, /no proof of end\.pass/);
  await refused({ ...CERTIFICATE, proofs: { ...proofs, "end.more": one } }, /end\.more, which/);
  await refused(
    { ...CERTIFICATE, proofs: { ...proofs, "end.pass": "AAAA" } },
    /cannot be unpacked/,
  );
  const long = new Blob(["0".repeat(20_000_000)]).stream();
  const packed = await new Response(long.pipeThrough(new CompressionStream("gzip"))).bytes();
  await refused({ ...CERTIFICATE, proofs: { ...proofs, "end.pass": base64(packed) } }, /too long/);
  // A proof of another condition: its steps do not follow.
  await refused({ ...CERTIFICATE, proofs: { ...proofs, "end.pass": proofs["end.drop"] } }, /step/);
});

Deno.test("a program that differs in one byte is refused before its proof is looked at", async () => {
  const bytes = diodeProgram(FDS);
  bytes[8 * 20 + 4] ^= 1;
  const error = await assertRejects(() => verifyProgram(bytes, FDS, CERTIFICATE), VeiError);
  assertEquals(error.code.startsWith("proof-"), true, error.message);
});
