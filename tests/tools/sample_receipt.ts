/** A receipt for tests: every field set, every digest different. */
import { proofIdOf, type Receipt, type Setting } from "../../src/receipt/statement.ts";
import { uuid7 } from "../../src/receipt/uuid7.ts";

/** @returns a SHA-256-shaped text made of one hex digit. */
export const digestOf = (digit: string) => digit.repeat(64);

export const SAMPLE_SETTING: Setting = {
  policy: { name: "p", version: "1", sha256: digestOf("1"), automaton: digestOf("2") },
  model: {
    kind: "enclave",
    name: "m",
    sha256: digestOf("3"),
    max_tokens: 16,
    temperature: 0,
    seed: 0,
  },
  diode: {
    name: "d",
    source: digestOf("4"),
    program: digestOf("5"),
    table: digestOf("6"),
    link_rules: digestOf("7"),
    certificates: { program: digestOf("e"), table: digestOf("f") },
  },
  enclave: {
    image: digestOf("8"),
    kernel: digestOf("9"),
    initrd: digestOf("a"),
    root: digestOf("b"),
    qemu_version: "7.2",
    qemu_arguments: digestOf("c"),
  },
  program: { version: "0", sha256: digestOf("d") },
};

/** @param node the signer's fingerprint. @param n makes the id differ. */
export async function sampleReceipt(node: string, n = 0): Promise<Receipt> {
  const receipt: Receipt = {
    id: uuid7(1_700_000_000_000 + n, new Uint8Array(10)),
    sequence: 1,
    kind: "exchange",
    proof_id: digestOf("0"),
    node,
    time: { start: "2026-01-01T00:00:00.000Z", first_byte: null, end: "2026-01-01T00:00:01Z" },
    input: { sha256: digestOf("e"), bytes: 3 },
    ...SAMPLE_SETTING,
    output: { sha256: digestOf("f"), bytes: 0 },
    verdict: { outcome: "aborted", by: "monitor", rule: "hate", offset: 5, start: 2 },
    kernel: {
      link_id: 1,
      program_id: 2,
      counters_before: {},
      counters_after: {},
      flow: null,
      drops: [],
    },
    lacks: [],
  };
  return { ...receipt, proof_id: await proofIdOf(receipt) };
}
