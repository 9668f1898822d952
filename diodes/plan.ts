/** A diode's text → everything that the kernel is given, by value. Touches no kernel object. */
import { sha256 } from "../src/base/bytes.ts";
import { VeiError } from "../src/base/errors.ts";
import { DEAD } from "../src/automaton/dfa.ts";
import { type Judgement, judgePredicate } from "../src/automaton/judgement.ts";
import { warningsOf } from "../src/automaton/warnings.ts";
import { encodeConfig, encodeTable, type LinkRules } from "../src/bpf/layout.ts";
import { diodeProgram } from "../src/bpf/program.ts";
import { type DiodeFile, parseDiodeFile } from "../src/policy/diode_file.ts";

export { shippedDiode, shippedDiodes } from "./shipped.ts";

/** What a diode takes over of the policy that it is made from. */
export interface PolicyShare {
  /** The rules that it enforces on each packet by itself, and as which predicates. */
  readonly held: readonly { readonly id: string; readonly predicate: string }[];
  /** The rules that the monitor alone enforces; `why`: one clause for people. */
  readonly left: readonly { readonly id: string; readonly why: string }[];
}

/** What is to be loaded. */
export interface DiodePlan {
  readonly name: string;
  readonly description: string;
  /** The diode's file, or the policy's, as it was read. */
  readonly source: string;
  readonly file: DiodeFile;
  /** The minimal automaton that the table says, and the sizes beside it. */
  readonly judgement: Judgement;
  /** Value of the table map. */
  readonly table: Uint8Array<ArrayBuffer>;
  /** Value of the configuration map. */
  readonly config: Uint8Array<ArrayBuffer>;
  /** What is probably not meant: one line each. */
  readonly warnings: readonly string[];
  /** Of a diode that was made from a policy: what it took over; else null. */
  readonly share: PolicyShare | null;
  /**
   * SHA-256 in hex. `program`: of the instructions with map references zeroed, so it is the same
   * for every diode.
   */
  readonly digests: {
    readonly source: string;
    readonly table: string;
    readonly config: string;
    readonly program: string;
  };
}

/**
 * @param text a diode's file; `path` is named in errors.
 * @throws VeiError `diode-invalid` (file, line, column), `diode-too-large`, `link-rules`.
 */
export async function compileDiode(
  text: string,
  path: string,
  rules: LinkRules,
): Promise<DiodePlan> {
  return await planOf(parseDiodeFile(text, path), text, path, rules);
}

/**
 * @param source the text that `file` was made from; `path` is named in errors.
 * @throws VeiError `diode-too-large`, `link-rules`.
 */
export async function planOf(
  file: DiodeFile,
  source: string,
  path: string,
  rules: LinkRules,
  share: PolicyShare | null = null,
): Promise<DiodePlan> {
  const judgement = inFile(path, () => judgePredicate(file.predicate));
  const { dfa } = judgement;
  const table = inFile(path, () => encodeTable(dfa));
  // Where no payload may pass, packets without one may not either: the link is closed.
  const closed = dfa.start === DEAD;
  const config = encodeConfig(closed ? { ...rules, dropEmpty: true } : rules, judgement);
  const program = diodeProgram({ table: 0, config: 0, counters: 0, events: 0 });
  const [sourceDigest, tableDigest, configDigest, programDigest] = await Promise.all(
    [new TextEncoder().encode(source), table, config, program].map(sha256),
  );
  return {
    name: file.name,
    description: file.description,
    source,
    file,
    judgement,
    table,
    config,
    warnings: warningsOf(file.predicate, judgement),
    share,
    digests: {
      source: sourceDigest,
      table: tableDigest,
      config: configDigest,
      program: programDigest,
    },
  };
}

/** Names the file in an error that knows only the predicate. */
function inFile<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof VeiError)) throw error;
    const { code, hint, exit } = error;
    throw new VeiError({
      code,
      message: `${path}: ${error.message}`,
      hint,
      exit,
      cause: error,
    });
  }
}
