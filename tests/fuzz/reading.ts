/**
 * Reads damaged files by the thousand, in a thread of its own, which can be ended when it hangs.
 * The thread's module calls `serve`; the test calls `readAll` and then `assertRead`.
 */
import { assert, fail } from "@std/assert";
import { VeiError } from "../../src/base/errors.ts";

/** Reading no file may take longer. */
const MOST_MS = 2000;

/** What the thread is told: numbers of files, and a counter that holds the one at hand. */
interface Work {
  from: number;
  to: number;
  progress: Int32Array<SharedArrayBuffer>;
}

/** What it answers. */
export interface Found {
  read: number;
  refused: number;
  /** Of those that were read, so many were looked at more closely. */
  examined: number;
  /** The longest that reading one file took, in ms, and which. */
  slowest: { ms: number; file: number };
  /** Files that had neither an answer nor an error with a place: number and what was wrong. */
  faults: { file: number; why: string }[];
}

/** What there is to read, and how. */
export interface Reading<T> {
  /** @returns the file with this number. */
  textOf(file: number): string;
  /** @throws VeiError with the code `refusal` and a place in the file `path`. */
  read(text: string): T;
  refusal: string;
  path: string;
  /** @returns what is wrong with what was read, or null; asked of one in `every`. */
  examine(read: T): string | null;
  every: number;
}

/** Answers the work that this thread is told. */
export function serve<T>(reading: Reading<T>): void {
  // A thread's own scope, of which TypeScript's types for the main thread know nothing.
  const thread = self as unknown as {
    onmessage: (message: MessageEvent<Work>) => void;
    postMessage: (found: Found) => void;
  };
  thread.onmessage = (message) => thread.postMessage(work(reading, message.data));
}

function work<T>(reading: Reading<T>, { from, to, progress }: Work): Found {
  const slowest = { ms: 0, file: from };
  const found: Found = { read: 0, refused: 0, examined: 0, slowest, faults: [] };
  for (let file = from; file < to; file++) {
    Atomics.store(progress, 0, file);
    const text = reading.textOf(file);
    const { result, ms } = timed(() => attempt(() => reading.read(text)));
    if (ms > slowest.ms) Object.assign(slowest, { ms, file });
    let why: string | null = null;
    if ("error" in result) {
      found.refused++;
      why = faultOf(result.error, text, reading);
    } else if (found.read++ % reading.every === 0) {
      found.examined++;
      why = reading.examine(result.value);
    }
    if (why !== null) found.faults.push({ file, why });
  }
  return found;
}

function attempt<T>(what: () => T): { value: T } | { error: unknown } {
  try {
    return { value: what() };
  } catch (error) {
    return { error };
  }
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

/** @returns what is wrong with an error; null where it says a place that is in the file. */
function faultOf<T>(error: unknown, text: string, { refusal, path }: Reading<T>): string | null {
  if (!(error instanceof VeiError)) return `${error}`;
  const place = /^:(\d+):(\d+): \S/.exec(error.message.slice(path.length));
  if (error.code !== refusal || !error.message.startsWith(path) || !place) {
    return `${error.code}: ${error.message}`;
  }
  if (error.message.length > 300) return `${error.message.length} characters: ${error.message}`;
  if (error.hint === "") return `no hint: ${error.message}`;
  if (error.hint.length > 2000) return `${error.hint.length} characters of hint: ${error.message}`;
  const lines = text.split("\n");
  const [line, column] = [Number(place[1]), Number(place[2])];
  const inside = line >= 1 && line <= lines.length && column >= 1 &&
    column <= lines[line - 1].length + 1;
  return inside ? null : `no such place: ${error.message}`;
}

/**
 * @param thread the module that calls `serve`.
 * @throws when one file takes so long that the thread seems to hang; its text is in the message.
 */
export function readAll(
  thread: URL,
  textOf: (file: number) => string,
  files: number,
): Promise<Found> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(thread, { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<Found>();
  worker.onmessage = (message: MessageEvent<Found>) => resolve(message.data);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(`the thread failed at file ${progress[0]}: ${event.message}`));
  };
  worker.postMessage({ from: 0, to: files, progress } satisfies Work);
  let [last, since] = [-1, performance.now()];
  const watch = setInterval(() => {
    const file = Atomics.load(progress, 0);
    if (file !== last) [last, since] = [file, performance.now()];
    else if (performance.now() - since > 15 * MOST_MS) {
      reject(new Error(`file ${file} hangs: ${JSON.stringify(textOf(file))}`));
    }
  }, 200);
  return promise.finally(() => {
    clearInterval(watch);
    worker.terminate();
  });
}

/** @throws where a file had neither an answer nor an error with its place, or took too long. */
export function assertRead(found: Found, textOf: (file: number) => string): void {
  for (const { file, why } of found.faults.slice(0, 5)) {
    fail(`${found.faults.length} faults; file ${file}: ${why}\n${JSON.stringify(textOf(file))}`);
  }
  const { slowest } = found;
  const text = JSON.stringify(textOf(slowest.file)).slice(0, 2000);
  assert(slowest.ms < MOST_MS, `file ${slowest.file} took ${slowest.ms} ms: ${text}`);
  const files = found.read + found.refused;
  assert(found.read > files / 10 && found.refused > files / 10, JSON.stringify(found));
  assert(found.examined > files / 1000, JSON.stringify(found));
}
