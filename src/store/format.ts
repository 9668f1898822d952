/**
 * The layout of a state folder, as a number in `STATE/format`. A program that does not know the
 * number leaves the folder alone: it could read it wrongly, and write what the newer one cannot read.
 */
import { Exit, messageOf, VeiError } from "../base/errors.ts";

/** What this program reads and writes. */
export const STATE_FORMAT = 1;

/**
 * Checks the folder's number; one without gets it written. A folder that is not
 * there is made.
 * @throws VeiError `state-newer`, `state-format` when it is no number (78), `state-unwritable` (73).
 */
export function checkFormat(state: string): void {
  const path = `${state}/format`;
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (cause) {
    const absent = [Deno.errors.NotFound, Deno.errors.NotADirectory];
    if (absent.some((kind) => cause instanceof kind)) return writeFormat(path);
    throw refuse(
      "state-format",
      `Cannot read ${path}: ${messageOf(cause)}`,
      "mend its permissions, or name another folder with --state DIR",
    );
  }
  if (text === `${STATE_FORMAT}\n`) return;
  if (!/^[1-9][0-9]{0,8}\n$/.test(text)) {
    throw refuse(
      "state-format",
      `${path} holds no number: ${JSON.stringify(text.slice(0, 40))}`,
      `restore the folder from a copy; ${STATE_FORMAT} is what this version writes`,
    );
  }
  throw refuse(
    "state-newer",
    `The state folder ${state} has format ${text.trim()}, and this version knows ${STATE_FORMAT}`,
    "a newer vei has used it: install that version again, or name another folder with --state DIR",
  );
}

function writeFormat(path: string): void {
  try {
    const fresh = `${path}.new`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
    {
      using file = Deno.openSync(fresh, { write: true, create: true, truncate: true });
      file.writeSync(new TextEncoder().encode(`${STATE_FORMAT}\n`));
      file.syncSync();
    }
    Deno.renameSync(fresh, path);
  } catch (cause) {
    throw new VeiError({
      code: "state-unwritable",
      message: `Cannot write ${path}: ${messageOf(cause)}`,
      hint: "free some space, or mend the folder's permissions",
      exit: Exit.cannotCreate,
      cause,
    });
  }
}

function refuse(code: string, message: string, hint: string): VeiError {
  return new VeiError({ code, message, hint, exit: Exit.config });
}
