/** What a topic of `vei help` is. */

export interface Topic {
  /** One word: `vei help NAME`. */
  name: string;
  summary: string;
  /** Lines of at most 100 columns. */
  text(): string;
}

/** @returns two columns, the first as wide as its widest cell. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
