/** The README's table of claims, read. */

export interface Claim {
  claim: string;
  status: string;
  /** What stands between backticks in the last column. */
  commands: string[];
}

/** @returns the rows. @throws Error when the table is not where it should be. */
export function claimsOf(readme: string): Claim[] {
  const begin = readme.indexOf("\n| claim ");
  if (begin < 0) throw new Error("the README has no table of claims");
  const lines = readme.slice(begin + 1).split("\n");
  const rows = lines.slice(2, lines.findIndex((line) => !line.startsWith("|")));
  return rows.map((row) => {
    const [claim, status, check] = row.split("|").slice(1, -1).map((cell) => cell.trim());
    return { claim, status, commands: [...check.matchAll(/`([^`]+)`/g)].map(([, words]) => words) };
  });
}
