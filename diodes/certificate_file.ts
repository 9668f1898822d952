/** Certificates as files: what proves the program, and what proves one diode's table. */
import * as v from "valibot";
import { base64, unbase64 } from "../src/base/base64.ts";
import { Exit, messageOf, VeiError } from "../src/base/errors.ts";
import { formatPredicate } from "../src/policy/predicate.ts";
import { type Hint, LAWS } from "../src/proof/checker/program/hints.ts";
import type { ProgramCertificate } from "../src/proof/checker/program/verify.ts";
import type { DiodePlan } from "./plan.ts";
import closed from "./certificates/closed.json" with { type: "json" };
import hateless from "./certificates/hateless.json" with { type: "json" };
import json from "./certificates/json.json" with { type: "json" };
import json_prefix from "./certificates/json_prefix.json" with { type: "json" };
import json_start from "./certificates/json_start.json" with { type: "json" };
import minimal from "./certificates/minimal.json" with { type: "json" };
import printable16 from "./certificates/printable16.json" with { type: "json" };
import printable64 from "./certificates/printable64.json" with { type: "json" };
import text from "./certificates/text.json" with { type: "json" };
import utf8 from "./certificates/utf8.json" with { type: "json" };

const SHIPPED: Record<string, unknown> = {
  text,
  hateless,
  minimal,
  printable16,
  printable64,
  json,
  json_start,
  json_prefix,
  utf8,
  closed,
};

const TABLE_FORMAT = "vei-table-proof/1";

const TableFile = v.strictObject({
  format: v.literal(TABLE_FORMAT),
  /** For people: it is the predicate that is proved. */
  diode: v.string(),
  /** In the language's canonical text. */
  predicate: v.string(),
  /** The pairing, in base64. */
  certificate: v.string(),
});
/** The certificate of one diode's table. */
export type TableCertificateFile = v.InferOutput<typeof TableFile>;

/** What is said of the program's places: a term, of which the checker finds out whether it is one. */
const Hint: v.GenericSchema<Hint> = v.lazy(() =>
  v.union([
    v.pipe(v.number(), v.integer()),
    v.string(),
    v.array(Hint),
  ])
);
const Ways = v.record(v.string(), v.strictObject({ index: Hint, state: Hint }));
const Region = v.picklist(["number", "frame", "config", "table"]);
const Place = v.strictObject({
  slot: v.pipe(v.number(), v.integer(), v.minValue(0)),
  registers: v.record(
    v.string(),
    v.union([v.strictTuple([Region]), v.strictTuple([Region, Hint])]),
  ),
  stack: v.array(v.strictTuple([v.number(), v.picklist([1, 2, 4, 8]), Hint])),
  facts: v.array(Hint),
  laws: v.array(v.strictTuple([v.picklist(LAWS), Hint, Hint])),
  ways: Ways,
});
const ProgramFile = v.strictObject({
  format: v.literal("vei-program-proof/2"),
  program: v.string(),
  solver: v.string(),
  cuts: v.strictObject({ ways: Ways, places: v.record(v.string(), Place) }),
  proofs: v.record(v.string(), v.string()),
});

/** @returns the certificate as a file of the plan's name says it. */
export function tableFile(plan: DiodePlan, certificate: Uint8Array): TableCertificateFile {
  return {
    format: TABLE_FORMAT,
    diode: plan.name,
    predicate: formatPredicate(plan.file.predicate),
    certificate: base64(certificate),
  };
}

/** @returns the text of a certificate's file. */
export function certificateText(file: TableCertificateFile | ProgramCertificate): string {
  return written(file, 2, "\n") + "\n";
}

/** JSON with a line for each entry of objects, so many levels deep. */
function written(value: unknown, levels: number, line: string): string {
  if (levels === 0 || typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value!).map(([key, one]) =>
    `${line}  ${JSON.stringify(key)}: ${written(one, levels - 1, `${line}  `)}`
  );
  return `{${entries.join(",")}${line}}`;
}

/** @returns the certificate that comes with a shipped diode, null for any other. */
export function shippedCertificate(diode: string): TableCertificateFile | null {
  return Object.hasOwn(SHIPPED, diode) ? v.parse(TableFile, SHIPPED[diode]) : null;
}

/** @throws VeiError `certificate-invalid` for what is no certificate. */
export function readCertificate(
  text: string,
  path: string,
): TableCertificateFile | ProgramCertificate {
  try {
    return v.parse(v.union([TableFile, ProgramFile]), JSON.parse(text));
  } catch (cause) {
    throw invalid(path, messageOf(cause), cause);
  }
}

/** @returns the pairing's bytes. @throws VeiError `certificate-invalid`. */
export function pairingOf({ certificate }: TableCertificateFile, path: string): Uint8Array {
  try {
    return unbase64(certificate);
  } catch (cause) {
    throw invalid(path, "its pairing is no base64", cause);
  }
}

function invalid(path: string, why: string, cause: unknown): VeiError {
  return new VeiError({
    code: "certificate-invalid",
    message: `${path} is no certificate of vei's: ${why}`,
    hint: "`vei diode prove NAME --out FOLDER` makes one",
    exit: Exit.data,
    cause,
  });
}
