import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../src/cli/commands.ts";
import { vei } from "../tools/vei.ts";

Deno.test("without arguments: the overview, and exit 64", async () => {
  const { code, stdout } = await vei([]);
  assertEquals(code, 64);
  for (const command of COMMANDS) assertStringIncludes(stdout, command.name);
});

Deno.test("every command has help with an example, and exits 0", async () => {
  // A few at a time: each is a program of some hundred megabytes.
  for (let at = 0; at < COMMANDS.length; at += 4) {
    await Promise.all(
      COMMANDS.slice(at, at + 4).map(async ({ name }) => {
        const { code, stdout, stderr } = await vei([...name.split(" "), "--help"]);
        assertEquals([code, stderr], [0, ""], name);
        assertMatch(stdout, /\nExample: (sudo )?(\.\/)?vei /);
      }),
    );
  }
});

Deno.test("unknown commands and options are usage errors with a hint", async () => {
  for (
    const args of [["frobnicate"], ["version", "--frob"], ["diode"], ["version", "--instance"]]
  ) {
    const { code, stdout, stderr } = await vei(args);
    assertEquals([code, stdout], [64, ""], args.join(" "));
    assertMatch(stderr, /^vei: .+\[usage\]\n {5}run `vei .*--help`\n$/);
  }
});

Deno.test("an instance's name is checked before anything is touched", async () => {
  for (const name of ["", "a/b", "../x", "UPPER", "1x", "abcdefghijklm"]) {
    const { code, stderr } = await vei(["status", `--instance=${name}`]);
    assertEquals(code, 64, name);
    assertStringIncludes(stderr, "[instance-name]");
  }
});

Deno.test("an error in JSON carries code, message, hint and exit code", async () => {
  const { code, stdout } = await vei(["status", "--instance", "a/b", "--json"]);
  const { error } = JSON.parse(stdout);
  assertEquals([code, error.code, error.exit], [64, "instance-name", 64]);
  assertEquals(error.hint.length > 0 && error.message.length > 0, true);
});

Deno.test("help after -- is for the other program", async () => {
  const { code, stderr } = await vei([
    "enclave",
    "exec",
    "--instance",
    "tnone",
    "--",
    "x",
    "--help",
  ]);
  assertEquals(code, 69);
  assertStringIncludes(stderr, "[link-absent]");
});
