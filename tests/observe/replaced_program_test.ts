/** An upgrade puts another program in the place of the one that runs: receipts name the running one. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { sha256File } from "../../src/host/digest.ts";
import { readReceipts } from "../../src/store/read_receipts.ts";
import { PlainPlace } from "../tools/plain_daemon.ts";
import { veiCommand } from "../tools/vei.ts";

for (
  const [how, replace] of Object.entries({
    "another file is put in its place": async (path: string) => {
      await Deno.writeTextFile(`${path}.next`, "another program");
      await Deno.rename(`${path}.next`, path);
    },
    "its file is removed": (path: string) => Deno.remove(path),
  })
) {
  Deno.test(`the first question after the start, when ${how}`, async () => {
    await using place = new PlainPlace();
    const [program] = veiCommand();
    const copy = `${place.folder}/program`;
    await Deno.copyFile(program, copy);
    const digest = await sha256File(copy);
    // The shell runs the copy in the place of the program that it is told.
    const wrap = ["sh", "-c", 'shift; exec "$0" "$@"', copy];
    const daemon = await place.serve("mock", { wrap });
    assertEquals(await Deno.readLink(`/proc/${daemon.child.pid}/exe`), copy);

    await replace(copy);
    const answer = await daemon.ask(false);
    assertEquals(answer.status, 200, await answer.text());
    const named: string[] = [];
    for await (const { receipt } of readReceipts(`${place.instance.state}/receipts.log`)) {
      named.push(receipt.program.sha256);
    }
    assertEquals(named, [digest]);
    assertNotEquals(await sha256File(copy).catch(() => ""), digest);
    await place.stop();
  });
}
