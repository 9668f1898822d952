/** Whether a file system can hold the receipts: tried with what they are made of. */
import { messageOf } from "../base/errors.ts";
import { LogIndex } from "./index_kv.ts";
import { LogFile } from "./log_file.ts";

const LINE = "a line that has to be durable";
const PLACE = { id: "probe", sequence: 0, offset: 0 };

/**
 * Writes a line with fsync and reads it back, and the same with an entry of the index.
 * @param folder an empty one; what is made in it stays.
 * @returns the time that both took, milliseconds.
 * @throws VeiError `log-unwritable`, `index-unusable`; Error when something else comes back.
 */
export async function tryStore(folder: string): Promise<number> {
  const began = performance.now();
  {
    await using log = await LogFile.open(`${folder}/receipts.log`);
    await log.append(LINE);
    const lines = await Array.fromAsync(log.lines(), ({ text }) => text);
    if (lines.join("\n") !== LINE) throw new Error("a durable line came back as another");
  }
  using index = await LogIndex.open(`${folder}/kv.db`);
  try {
    await index.add([PLACE], LINE.length + 1);
    const found = await index.find(PLACE.id);
    if (found?.sequence !== PLACE.sequence) throw new Error("what was put in did not come back");
  } catch (cause) {
    throw new Error(`Cannot use an index in ${folder}: ${messageOf(cause)}`, { cause });
  }
  return Math.round(performance.now() - began);
}
