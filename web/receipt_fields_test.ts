import { assert, assertEquals, assertThrows } from "@std/assert";
import { base64 } from "../src/base/base64.ts";
import { encodeStatement, type Receipt } from "../src/receipt/statement.ts";
import { sampleReceipt } from "../tests/tools/sample_receipt.ts";
import { checksOf, sectionsOf, statementOf } from "./client/receipt_fields.js";

const NODE = "9".repeat(64);

function envelopeOf(receipt: Receipt) {
  return {
    payload: base64(encodeStatement(receipt)),
    payloadType: "application/vnd.in-toto+json",
    signatures: [{ keyid: NODE, sig: "" }],
  };
}

Deno.test("every digest and id of a receipt is laid out", async () => {
  const receipt = await sampleReceipt(NODE);
  const { predicate } = statementOf(envelopeOf(receipt));
  const shown = sectionsOf(predicate).flatMap((section) => section.fields.map((one) => one.value));
  const digests = JSON.stringify(receipt).match(/[0-9a-f]{64}|[0-9a-f-]{36}/g)!;
  assert(digests.length > 15);
  for (const digest of digests) assert(shown.includes(digest), digest);
});

Deno.test("a part that this page does not know is shown, not dropped", async () => {
  const receipt = { ...await sampleReceipt(NODE), witness: { tree_size: 5 } };
  const other = sectionsOf(receipt).find((section) => section.title === "Other")!;
  assertEquals(other.fields, [{ label: "Witness, tree size", value: "5", digest: false }]);
});

Deno.test("null is said in words", async () => {
  const receipt = { ...await sampleReceipt(NODE), diode: null, output: null };
  const valueOf = (title: string) =>
    sectionsOf(receipt).find((section) => section.title === title)!.fields[0].value;
  assertEquals(valueOf("Diode"), "none stood before this model");
  assertEquals(valueOf("Output"), "unknown");
});

Deno.test("counters: those that moved, with before and after; the rest as a number", async () => {
  const receipt = await sampleReceipt(NODE);
  const kernel = {
    ...receipt.kernel!,
    counters_before: { pass: 2, predicate: 0, short: 0, mac: 3 },
    counters_after: { pass: 5, predicate: 1, short: 0, mac: 3 },
  };
  const { fields } = sectionsOf({ ...receipt, kernel }).find((one) => one.title === "Kernel")!;
  assertEquals(fields.slice(2).map(({ label, value }) => `${label}: ${value}`), [
    "Flow: that of the request",
    "Drops: none",
    "Counter, pass: 5, before it 2",
    "Counter, predicate: 1, before it 0",
    "Counter, mac: 3, as before",
    "Counter, others: 1, all at 0",
  ]);
});

Deno.test("a reload is laid out with what was changed, and what it was before", async () => {
  const digest = "1".repeat(64);
  const reload = {
    generation: 2,
    changed: ["policy.default", "log.level"],
    config: { before: null, after: digest },
    policy: { before: digest, after: NODE },
    diode: null,
  };
  const receipt = { ...await sampleReceipt(NODE), kind: "reload", reload };
  const { fields } = sectionsOf(receipt).find((one) => one.title === "Reload")!;
  assertEquals(fields.map(({ label, value }) => `${label}: ${value}`), [
    "Generation: 2",
    "Changed, 1: policy.default",
    "Changed, 2: log.level",
    "Config, before: no file, the defaults held",
    "Config, after: " + digest,
    "Policy, before: " + digest,
    "Policy, after: " + NODE,
    "Diode: none stands before this model",
  ]);
});

Deno.test("the diodes that came after are laid out with the kernel's part", async () => {
  const receipt = await sampleReceipt(NODE);
  const next = { program_id: 3, diode: receipt.diode!, counters_after: { pass: 1 } };
  const kernel = { ...receipt.kernel!, replaced_by: [next] };
  const { fields } = sectionsOf({ ...receipt, kernel }).find((one) => one.title === "Kernel")!;
  const shown = fields.map(({ label, value }) => `${label}: ${value}`);
  assert(shown.includes("Replaced by, 1, program id: 3"), shown.join("\n"));
  assert(shown.includes("Replaced by, 1, counters after, pass: 1"), shown.join("\n"));
});

Deno.test("what the page checks tells another receipt and another signer", async () => {
  const receipt = await sampleReceipt(NODE);
  const envelope = envelopeOf(receipt);
  const statement = statementOf(envelope);
  const fits = (one: typeof envelope, id: string) =>
    checksOf(one, statement, id).map((check) => check.fits);
  assertEquals(fits(envelope, receipt.id), [true, true]);
  assertEquals(fits(envelope, "another"), [false, true]);
  assertEquals(fits({ ...envelope, signatures: [] }, receipt.id), [true, false]);
});

Deno.test("what is no receipt is refused", () => {
  for (const payload of ["", "?", base64(new TextEncoder().encode('{"predicate":null}'))]) {
    assertThrows(() => statementOf({ payload }), SyntaxError, "Cannot read the receipt");
  }
});
