/** Reads damaged diode files in a thread of its own, and compiles some of what can be read. */
import { judgePredicate } from "../../src/automaton/judgement.ts";
import { warningsOf } from "../../src/automaton/warnings.ts";
import { VeiError } from "../../src/base/errors.ts";
import { parseDiodeFile } from "../../src/policy/diode_file.ts";
import type { Predicate } from "../../src/policy/predicate.ts";
import { damagedFile } from "./diode_files.ts";
import { serve } from "./reading.ts";

/** @returns what is wrong with how a predicate is compiled. */
function compileFault(predicate: Predicate): string | null {
  try {
    warningsOf(predicate, judgePredicate(predicate));
    return null;
  } catch (error) {
    const refused = error instanceof VeiError && error.code === "diode-too-large";
    return refused && error.hint !== "" ? null : `${error}`;
  }
}

serve({
  textOf: damagedFile,
  read: (text) => parseDiodeFile(text, "f.toml").predicate,
  refusal: "diode-invalid",
  path: "f.toml",
  examine: compileFault,
  every: 50,
});
