/** Whatever a diode's file holds, there is an answer, or an error that says where: and soon. */
import { damagedFile } from "./diode_files.ts";
import { assertRead, readAll } from "./reading.ts";

const THREAD = new URL("./diode_files_worker.ts", import.meta.url);

Deno.test("100,000 damaged files: an answer or an error with its place, never a hang", async () => {
  assertRead(await readAll(THREAD, damagedFile, 100_000), damagedFile);
});
