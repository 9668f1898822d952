/** Whatever a policy's file holds, there is an answer, or an error that says where: and soon. */
import { damagedPolicy } from "./policy_files.ts";
import { assertRead, readAll } from "./reading.ts";

const THREAD = new URL("./policy_files_worker.ts", import.meta.url);

Deno.test("100,000 damaged policies: an answer or an error with its place, never a hang", async () => {
  assertRead(await readAll(THREAD, damagedPolicy, 100_000), damagedPolicy);
});
