/** Reads the receipts of a log, also beside the daemon that writes to it. */
import { canonicalJson } from "../base/canonical.ts";
import { Exit, messageOf, VeiError } from "../base/errors.ts";
import { decodeEnvelope } from "../receipt/dsse.ts";
import { decodeStatement, type Receipt } from "../receipt/statement.ts";
import { readLines } from "./log_file.ts";

/**
 * Yields the receipts in their order, with their envelopes' texts. Signatures are `verify`'s
 * business. A last line without its end is one that is being written: it is left out.
 * @throws VeiError `log-unreadable`, `log-damaged`.
 */
export async function* readReceipts(
  path: string,
): AsyncGenerator<{ receipt: Receipt; envelope: string }> {
  let number = 0;
  try {
    for await (const { text } of readLines(path)) {
      number++;
      const value = JSON.parse(text);
      if (value.receipt === undefined) continue;
      const envelope = canonicalJson(value.receipt);
      yield { receipt: decodeStatement(decodeEnvelope(envelope).payload), envelope };
    }
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return;
    const damaged = cause instanceof SyntaxError;
    throw new VeiError({
      code: damaged ? "log-damaged" : "log-unreadable",
      message: `Cannot read ${path}${damaged ? `:${number}` : ""}: ${messageOf(cause)}`,
      hint: damaged ? "restore the file from a copy" : "run as the user that owns it",
      exit: damaged ? Exit.data : Exit.noPermission,
      cause,
    });
  }
}
