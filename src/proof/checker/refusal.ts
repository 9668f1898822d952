/** The checker's one answer to what it does not accept. */
import { Exit, VeiError } from "../../base/errors.ts";

/** @returns the error `proof-PART`, to be thrown, with what was found as its sentence. */
export function refuse(
  part: "program" | "certificate" | "table" | "predicate",
  found: string,
): VeiError {
  return new VeiError({
    code: `proof-${part}`,
    message: `Not proved: ${found}`,
    hint: "nothing without a proof is attached; run `vei diode prove`, and report what it says",
    exit: Exit.failed,
  });
}
