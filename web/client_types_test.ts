/**
 * The browser's modules are plain JavaScript with types in JSDoc. They are checked here, by a
 * configuration of their own: the browser's globals must not be known to the rest of the tree.
 */
import { assertEquals } from "@std/assert";

const CLIENT = new URL("client", import.meta.url).pathname;

function check(...files: string[]) {
  return new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--config", `${CLIENT}/check.json`, ...files],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
}

Deno.test("the browser's modules are right in their types", async () => {
  const { success, stderr } = await check(`${CLIENT}/main.js`);
  assertEquals(success, true, new TextDecoder().decode(stderr));
});

Deno.test("a wrong type in them is found", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/wrong.js`, "document.body.className = 5;\n");
    const { success, stderr } = await check(`${folder}/wrong.js`);
    assertEquals(success, false);
    assertEquals(new TextDecoder().decode(stderr).includes("TS2322"), true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
