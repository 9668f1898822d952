/** install.sh on a machine of its own, with the Debian packages that this machine has. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CleanRoot } from "./clean_root.ts";
import { compiledProgram } from "./compiled.ts";
import { changed } from "./upper.ts";

const TOP = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
/** Where install.sh works; not part of an installation. */
const WORKSHOP = /\/(\.cache|\.tools|dist)(\/|$)|^\/etc\/[a-z]+-$/;
const env = { HOME: Deno.env.get("HOME") ?? "", DENO_TLS_CA_STORE: "system" };

Deno.test("a file is installed with image and model, and taken away, without any toolchain", async () => {
  await using root = await CleanRoot.make({ state: true });
  const program = await root.put(await compiledProgram(), "vei");
  // Alone in a folder, as somebody has it who downloaded two files.
  const script = await root.put(`${TOP}/install.sh`, "install.sh");
  await root.must(["chmod", "644", program]);
  const sum = (await root.must(["sha256sum", program])).slice(0, 64);
  const before = await root.differences();

  const refused = await root.run(["bash", script, "--binary", program, "--sha256", "0".repeat(64)]);
  assertEquals(refused.code, 65, refused.stderr);
  assertStringIncludes(refused.stderr, "is not the file with that SHA-256; nothing was done");
  assertEquals(changed(before, await root.differences()), {});

  const done = await root.run(["bash", script, "--binary", program, "--sha256", sum], { env });
  assertEquals(done.code, 0, done.stderr);
  const [plan, rest] = done.stderr.split("To see VEI work without installing it");
  assertStringIncludes(plan, "This installs VEI on this machine:");
  assertStringIncludes(rest, "/usr/local/bin/vei: made");
  assertStringIncludes(rest, "Guest image");
  assertStringIncludes(rest, "Start it: vei serve");
  assert(JSON.parse(await root.must(["vei", "model", "list", "--json"])).default);

  const again = await root.run(["bash", script, "--binary", program], { env });
  assertEquals(again.code, 0, again.stderr);
  assertStringIncludes(again.stderr, "Everything was in its place");
  const gone = await root.run(["bash", script, "uninstall", "--purge"], { env });
  assertEquals(gone.code, 0, gone.stderr);
  const left = Object.entries(changed(before, await root.differences()))
    .filter(([path, [, now]]) => now !== null && now.type !== "gone" && !WORKSHOP.test(path));
  assertEquals(left, []);
});

Deno.test("from the source it installs what the build has made", async () => {
  await using root = await CleanRoot.make();
  const run = (...args: string[]) => {
    return root.run([`${TOP}/install.sh`, ...args], { env, timeoutMs: 400_000 });
  };
  const done = await run("--no-setup");
  assertEquals(done.code, 0, done.stdout + done.stderr);
  assertStringIncludes(done.stderr, "built here from its source");
  const sums = await root.must(["sha256sum", "/usr/local/bin/vei", `${TOP}/dist/vei`]);
  assertEquals(new Set(sums.matchAll(/^[0-9a-f]{64}/gm).map(([sum]) => sum)).size, 1);
  const gone = await run("uninstall");
  assertEquals(gone.code, 0, gone.stderr);
  assertEquals((await root.run(["ls", "/usr/local/bin/vei"])).code, 2);
});
