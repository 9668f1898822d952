/** Clauses as other people's tools read them. */

/** @returns the clauses in DIMACS' form for satisfiability. */
export function dimacsOf(clauses: readonly (readonly number[])[]): string {
  let most = 0;
  for (const clause of clauses) {
    for (const literal of clause) most = Math.max(most, Math.abs(literal));
  }
  const lines = clauses.map((clause) => `${clause.join(" ")} 0\n`);
  return `p cnf ${most} ${clauses.length}\n${lines.join("")}`;
}

/** @returns an LRAT proof's clauses alone: what checkers of DRAT read. */
export function dratOf(lrat: string): string {
  return lrat.replace(/^\d+ ((?:-?[1-9]\d* )*0) .*$/gm, (_, clause: string) => clause);
}
