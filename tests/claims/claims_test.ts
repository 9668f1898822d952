/**
 * Each claim's command does what the table says. Those of the form `./install.sh test PATH…` name
 * tests of this very run; everything else is run here.
 */
import { assert, assertEquals } from "@std/assert";
import { findTests } from "../runner/discover.ts";
import { testState } from "../tools/state.ts";
import { vei } from "../tools/vei.ts";
import { claimsOf } from "./table.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const CLAIMS = claimsOf(await Deno.readTextFile(`${ROOT}README.md`));
const COMMANDS = [...new Set(CLAIMS.flatMap(({ commands }) => commands))];
const TEST = "./install.sh test ";

Deno.test("every claim has a status, and a command unless it is not yet true", () => {
  assert(CLAIMS.length > 10);
  for (const { claim, status, commands } of CLAIMS) {
    assert(claim !== "" && status !== "", claim);
    assertEquals(commands.length === 0, status === "not yet", claim);
  }
});

Deno.test("the tests that claims name are there, each of them", async () => {
  for (const command of COMMANDS.filter((one) => one.startsWith(TEST))) {
    for (const path of command.slice(TEST.length).split(" ")) {
      const files = await findTests([path]);
      assert(files.length > 0, `${command}: no test in ${path}`);
      // What a whole run would not find would be claimed and never checked.
      const whole = await findTests([]);
      assertEquals(files.filter((file) => !whole.includes(file)), [], path);
    }
  }
});

for (const command of COMMANDS.filter((one) => !one.startsWith(TEST))) {
  Deno.test(`the claimed command works: ${command}`, async () => {
    const [program, ...args] = command.replace("./install.sh demo", "vei demo").split(" ");
    // The image and the model of the tests, not the machine's own.
    if (args[0] === "demo") args.push("--state", await testState());
    if (program === "./install.sh") {
      const { success, stderr } = await new Deno.Command(`${ROOT}install.sh`, {
        args,
        cwd: ROOT,
        stdin: "null",
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      return;
    }
    assert(["vei", "dist/vei"].includes(program), `nobody knows how to run ${command}`);
    const { code, stderr } = await vei(args, { timeoutMs: 540_000 });
    assertEquals(code, 0, `${command}\n${stderr}`);
  });
}
