import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { configTables } from "../../src/base/config_reference.ts";
import { COMMAND_TABLE, COMMANDS } from "../../src/cli/commands.ts";
import { manPage } from "../../src/cli/man.ts";
import { vei } from "../tools/vei.ts";

/** As a reader sees it. @throws Error with groff's warnings. */
async function formatted(page: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "vei-man-" });
  try {
    await Deno.writeTextFile(`${folder}/vei.1`, page);
    // All warnings; -P-c: no colours and bold by overstriking, which is easily taken out.
    const { code, stdout, stderr } = await new Deno.Command("groff", {
      args: ["-man", "-Tutf8", "-ww", "-P-c", "-rLL=200n", `${folder}/vei.1`],
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    // deno-lint-ignore no-control-regex
    return new TextDecoder().decode(stdout).replace(/.\u0008/gu, "");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the manual page has no warning, and names all commands, options and keys", async () => {
  const text = (await formatted(manPage(COMMAND_TABLE))).replace(/\s+/g, " ");
  for (const { name, example, options } of COMMANDS) {
    assertStringIncludes(text, ` vei ${name} `);
    assertStringIncludes(text, example.replace(/\s+/g, " "));
    for (const option of Object.keys(options ?? {})) assertStringIncludes(text, `--${option}`);
  }
  for (const { name, keys } of configTables()) {
    for (const key of keys) {
      assertStringIncludes(text, `[${name}] ${key.name} = ${key.fallback}`);
    }
  }
  assertStringIncludes(text, "EXIT STATUS");
});

Deno.test("no text of ours can become a macro", () => {
  for (const line of manPage(COMMAND_TABLE).split("\n")) {
    if (/^[.']/.test(line)) assert(/^\.(TH|SH|SS|TP|PP|B|I|BI|RI)( |$)/.test(line), line);
  }
});

Deno.test("vei man prints the page", async () => {
  const { code, stdout, stderr } = await vei(["man"]);
  assertEquals([code, stderr, stdout], [0, "", manPage(COMMAND_TABLE)]);
});
