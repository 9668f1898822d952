/** The times of an exchange. */

/**
 * The wall clock may be set back while an exchange runs; its receipt does not end before it began.
 * @param earlier RFC 3339, what came before.
 * @returns `now` in RFC 3339, or `earlier` when that is later.
 */
export function notBefore(earlier: string, now: Date): string {
  return now.getTime() < Date.parse(earlier) ? earlier : now.toISOString();
}
