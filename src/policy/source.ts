/** Text with the place that each of its characters has in a file, for errors that point there. */
import { Exit, VeiError } from "../base/errors.ts";

/** A place in a file, both counted from 1; a column is a UTF-16 code unit, as editors count. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A text and where it came from. */
export interface Source {
  readonly text: string;
  readonly path: string;
  /** @returns the place of the character at `offset`; at the text's length, of its end. */
  place(offset: number): Place;
}

/** @returns a source that is a whole file; its places are found without reading it again. */
export function wholeFile(text: string, path: string): Source {
  let starts: number[] | undefined;
  const place = (offset: number): Place => {
    starts ??= lineStarts(text);
    // The last line that begins at the offset or before it.
    let [line, beyond] = [0, starts.length];
    while (beyond - line > 1) {
      const middle = (line + beyond) >> 1;
      if (starts[middle] <= offset) line = middle;
      else beyond = middle;
    }
    return { line: line + 1, column: offset - starts[line] + 1 };
  };
  return { text, path, place };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** @returns the error for a text that cannot be read: place, what is wrong, what to do. */
export function invalidAt(
  source: Source,
  offset: number,
  what: string,
  hint: string,
  inPolicy = false,
): VeiError {
  const { line, column } = source.place(offset);
  return new VeiError({
    code: inPolicy ? "policy-invalid" : "diode-invalid",
    message: `${source.path}:${line}:${column}: ${shortened(what)}`,
    hint,
    exit: Exit.config,
  });
}

/** A word may be as long as the file that it stands in; the error about it may not. */
function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)} …` : text;
}
