/**
 * Reads damaged files in a thread of its own, which can be ended when it hangs. Told `from`, `to`
 * and a shared counter, it keeps the number of the file at hand in the counter, and answers once.
 */
import { judgePredicate } from "../../src/automaton/judgement.ts";
import { warningsOf } from "../../src/automaton/warnings.ts";
import { VeiError } from "../../src/base/errors.ts";
import { parseDiodeFile } from "../../src/policy/diode_file.ts";
import type { Predicate } from "../../src/policy/predicate.ts";
import { damagedFile } from "./diode_files.ts";

/** What the thread is told. */
export interface Work {
  from: number;
  to: number;
  /** One number: the file at hand. */
  progress: Int32Array<SharedArrayBuffer>;
}

/** What it answers. */
export interface Found {
  read: number;
  refused: number;
  compiled: number;
  /** The longest that reading one file took, in ms, and which. */
  slowest: { ms: number; file: number };
  /** Files that had neither an answer nor an error with a place: number and what was wrong. */
  faults: { file: number; why: string }[];
}

/** Of the files that can be read, so many are compiled: 1 in n. */
const COMPILED = 50;

/** @returns what is wrong with an error; null where it says a place that is in the file. */
function faultOf(error: unknown, text: string): string | null {
  if (!(error instanceof VeiError)) return `${error}`;
  const place = /^f\.toml:(\d+):(\d+): \S/.exec(error.message);
  if (error.code !== "diode-invalid" || !place) return `${error.code}: ${error.message}`;
  if (error.message.length > 300) return `${error.message.length} characters: ${error.message}`;
  if (error.hint === "") return `no hint: ${error.message}`;
  const lines = text.split("\n");
  const [line, column] = [Number(place[1]), Number(place[2])];
  const inside = line >= 1 && line <= lines.length && column >= 1 &&
    column <= lines[line - 1].length + 1;
  return inside ? null : `no such place: ${error.message}`;
}

/** Times something once more where it took long: it may have been the machine that did. */
function timed<T>(what: () => T): { result: T; ms: number } {
  let [ms, result] = [Infinity, undefined as T];
  for (let tries = 0; tries < 3 && ms > 500; tries++) {
    const start = performance.now();
    result = what();
    ms = Math.min(ms, performance.now() - start);
  }
  return { result, ms };
}

/** @returns the predicate, or why there is none. */
function read(text: string): Predicate | { error: unknown } {
  try {
    return parseDiodeFile(text, "f.toml").predicate;
  } catch (error) {
    return { error };
  }
}

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

function work({ from, to, progress }: Work): Found {
  const slowest = { ms: 0, file: from };
  const found: Found = { read: 0, refused: 0, compiled: 0, slowest, faults: [] };
  for (let file = from; file < to; file++) {
    Atomics.store(progress, 0, file);
    const text = damagedFile(file);
    const { result, ms } = timed(() => read(text));
    if (ms > slowest.ms) Object.assign(slowest, { ms, file });
    let why: string | null = null;
    if ("error" in result) {
      found.refused++;
      why = faultOf(result.error, text);
    } else if (found.read++ % COMPILED === 0) {
      found.compiled++;
      why = compileFault(result);
    }
    if (why !== null) found.faults.push({ file, why });
  }
  return found;
}

// A thread's own scope, of which TypeScript's types for the main thread know nothing.
const thread = self as unknown as {
  onmessage: (message: MessageEvent<Work>) => void;
  postMessage: (found: Found) => void;
};
thread.onmessage = (message) => thread.postMessage(work(message.data));
