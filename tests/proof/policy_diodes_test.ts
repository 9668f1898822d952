/** Diodes that are made from policies have certificates as any other: their tables say what is shown. */
import { assert } from "@std/assert";
import { checkTable } from "../../src/proof/checker/table/check.ts";
import { tableCertificate } from "../../src/proof/table_certificate.ts";
import { compilePolicyDiode } from "../../diodes/policy_diode.ts";
import { shippedPolicy } from "../../diodes/shipped.ts";
import { claimOf } from "./claims.ts";

const RULES = {
  hostMac: "02:00:00:00:00:01",
  guestMac: "02:00:00:00:00:02",
  hostIp: "172.30.0.1",
  guestIp: "172.30.0.11",
  guestPort: 8080,
  maxFrame: 1514,
};

for (const name of ["hateless", "json-only", "printable", "no-links", "reality-only", "secrets"]) {
  Deno.test(`the checker accepts the certificate of policy:${name}, for what the kernel is given`, async () => {
    const { file, table, config } = await compilePolicyDiode(shippedPolicy(name), name, RULES);
    const claim = { ...claimOf(file.predicate), table, config };
    assert(await checkTable(claim, await tableCertificate(claim)) > 0);
  });
}
