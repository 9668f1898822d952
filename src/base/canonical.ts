/** Canonical JSON, RFC 8785 (JCS). */
import canonicalize from "canonicalize";

/**
 * @returns the one UTF-8 text of `value` under RFC 8785.
 * @throws TypeError for what JSON cannot say (undefined, NaN, cycles).
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("Cannot canonicalise a value that JSON cannot say");
  return text;
}
