/** Ten starts and stops; a thousand are in `deno task soak`. */
import { openLibraries } from "../../ffi/native.ts";
import { runCycles } from "../tools/cycles.ts";

openLibraries();

Deno.test("ten starts and stops with the mock: each is ready, answers, ends and leaves nothing", async () => {
  await runCycles(10);
});
