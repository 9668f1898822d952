/**
 * The one application error. Every failure that a user can meet carries a code, a sentence, a hint
 * of what to do, and its cause; the exit code follows sysexits(3) where that has one.
 */

/** Exit codes of `vei`, as documented in the README. */
export const Exit = {
  ok: 0,
  /** What was checked is not so. */
  failed: 1,
  /** It cannot be told. */
  unknown: 2,
  /** Aborted or refused by policy. */
  refused: 3,
  usage: 64,
  data: 65,
  noInput: 66,
  unavailable: 69,
  internal: 70,
  cannotCreate: 73,
  io: 74,
  tryAgain: 75,
  noPermission: 77,
  config: 78,
} as const;

export type ExitCode = typeof Exit[keyof typeof Exit];

/** What each exit code tells, without a final full stop. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: "done",
  1: "what was checked is not so: INVALID, or a step of the demo that failed",
  2: "it cannot be told: UNVERIFIABLE, or a need that is not known",
  3: "the policy or the kernel refused or ended the answer",
  64: "the command line is not right",
  65: "the data given is not right",
  66: "what was named is not there",
  69: "something needed is not available",
  70: "an error of vei's own, or two judges that disagree",
  73: "a file cannot be made",
  74: "reading or writing failed",
  75: "not now: try again later",
  77: "not permitted, most often because it takes root",
  78: "the configuration, the state or the gate is not as it has to be",
};

export interface VeiErrorInit {
  /** Stable, greppable name, e.g. `tap-busy`. */
  code: string;
  /** One sentence for the user, without a final full stop. */
  message: string;
  /** What the user can do about it. */
  hint?: string;
  exit: ExitCode;
  cause?: unknown;
}

/** An error that a user can understand and act on. */
export class VeiError extends Error {
  override readonly name = "VeiError";
  readonly code: string;
  readonly hint: string;
  readonly exit: ExitCode;

  constructor(init: VeiErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.hint = init.hint ?? "";
    this.exit = init.exit;
  }

  /** @returns the form that `--json` and the API show. */
  toJSON(): { code: string; message: string; hint: string; exit: number } {
    return { code: this.code, message: this.message, hint: this.hint, exit: this.exit };
  }
}

/** @returns the message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** @returns what a log says of anything that was thrown: message, code and what to do. */
export function explain(thrown: unknown): string {
  if (!(thrown instanceof VeiError)) return messageOf(thrown);
  return `${thrown.message} [${thrown.code}]${thrown.hint === "" ? "" : `; ${thrown.hint}`}`;
}
