/** What is told of one kind of failure. */

export interface Failure {
  /** `*` stands for any ending. */
  codes: readonly string[];
  /** Without a final full stop. */
  means: string;
  /** What to do, without a final full stop. */
  mend: string;
  /** Stands in the README too. */
  common?: true;
}
