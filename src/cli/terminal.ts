/** Standard output and error, as the commands see them. */
import type { Terminal } from "./command.ts";

const encoder = new TextEncoder();

function put(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  let bytes = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch (cause) {
    // `vei … | head` closes the pipe: then there is nobody left to tell.
    if (!(cause instanceof Deno.errors.BrokenPipe)) throw cause;
  }
}

/** @returns the process's own terminal. */
export function processTerminal(): Terminal {
  return {
    out: (line) => put(Deno.stdout, line + "\n"),
    write: (text) => put(Deno.stdout, text),
    err: (line) => put(Deno.stderr, line + "\n"),
    redraw: (line) => put(Deno.stderr, `\r\x1b[2K${line}`),
    json: (value) => put(Deno.stdout, JSON.stringify(value, null, 2) + "\n"),
    interactive: Deno.stderr.isTerminal(),
  };
}

/**
 * Takes what could steer a terminal out of untrusted text: C0 controls but tab and line feed, DEL,
 * and C1 (U+0080 to U+009F) become the replacement character.
 */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}
