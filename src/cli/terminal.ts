/** Standard output and error, as the commands see them. */
import type { Terminal } from "./command.ts";

const encoder = new TextEncoder();

/** @returns false where the reader has gone: `vei … | head` closes the pipe. */
function put(stream: { writeSync(bytes: Uint8Array): number }, text: string): boolean {
  let bytes = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.BrokenPipe) return false;
    throw cause;
  }
}

/** @returns the process's own terminal. */
export function processTerminal(): Terminal {
  let gone = false;
  const write = (text: string) => {
    if (!put(Deno.stdout, text)) gone = true;
  };
  return {
    out: (line) => write(printable(line) + "\n"),
    write,
    err: (line) => void put(Deno.stderr, printable(line) + "\n"),
    redraw: (line) => void put(Deno.stderr, `\r\x1b[2K${printable(line)}`),
    json: (value) => write(jsonText(value, 2) + "\n"),
    interactive: Deno.stderr.isTerminal(),
    screen: () => {
      if (!Deno.stdout.isTerminal()) return null;
      return {
        ...sizeOfScreen(),
        colour: !Deno.env.get("NO_COLOR") && Deno.env.get("TERM") !== "dumb",
      };
    },
    gone: () => gone,
  };
}

/** A terminal that does not tell its size (0 by 0 behind some consoles) is taken for a small one. */
function sizeOfScreen(): { columns: number; rows: number } {
  const { columns, rows } = Deno.consoleSize();
  return columns > 0 && rows > 0 ? { columns, rows } : { columns: 80, rows: 24 };
}

/**
 * Takes what could steer a terminal out of untrusted text: C0 controls but tab and line feed, DEL,
 * and C1 (U+0080 to U+009F) become the replacement character.
 */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}

/**
 * @param indent spaces; default: one line.
 * @returns JSON that cannot steer a terminal either: what JSON lets stand raw of DEL and C1 is escaped.
 */
export function jsonText(value: unknown, indent?: number): string {
  const escaped = (character: string) =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value, null, indent).replace(/[\u007f-\u009f]/g, escaped);
}
