/** The diodes that come with VEI, as text. */
import { Exit, VeiError } from "../src/base/errors.ts";
import hateless from "./hateless.toml" with { type: "text" };

const TEXTS: Record<string, string> = { hateless };

/** @returns the names of the shipped diodes. */
export function shippedDiodes(): string[] {
  return Object.keys(TEXTS);
}

/** @returns the text of a shipped diode's file. @throws VeiError `diode-unknown`. */
export function shippedDiode(name: string): string {
  if (Object.hasOwn(TEXTS, name)) return TEXTS[name];
  throw new VeiError({
    code: "diode-unknown",
    message: `There is no diode ${JSON.stringify(name)}`,
    hint: `shipped diodes: ${shippedDiodes().join(", ")}`,
    exit: Exit.config,
  });
}
