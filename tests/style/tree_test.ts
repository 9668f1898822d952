/** The tree holds what it should, and nothing that belongs to one machine or one day. */
import { assertEquals } from "@std/assert";
import { sourceFiles } from "./files.ts";
import { missingFrom, treeFaults } from "./tree.ts";

Deno.test("every file of the tree keeps the rules", () => {
  const files = sourceFiles();
  assertEquals(files.flatMap(treeFaults), []);
  assertEquals(missingFrom(files), []);
});

const j = (...parts: string[]) => parts.join("");

/** Path, text, and whether it is allowed. The bad words are put together here. */
const SAMPLES: [path: string, text: string, allowed: boolean][] = [
  ["src/base/a.ts", "const a = 1;\n", true],
  ["notes/a.ts", "", false],
  ["package.json", "{}", false],
  ["src/a.ts", "x\n".repeat(400), true],
  ["src/a.ts", "x\n".repeat(401), false],
  ["deno.lock", "x\n".repeat(4000), true],
  ["src/a.ts", j("// TO", "DO: later"), false],
  ["src/a.ts", j("// FIX", "ME"), false],
  ["src/a.ts", j("// X", "XX"), false],
  ["install.sh", j("mktemp d-X", "XXXXX"), true],
  ["src/a.ts", j("// a HA", "CK"), false],
  ["deno.json", j("https://registry.", "npmjs.org/x"), false],
  ["install.sh", j("deb http://deb.", "debian.org/debian"), false],
  ["README.md", j("py", "pi.org"), false],
  ["src/a.ts", j(`"/wo`, `rk/main/x"`), false],
  ["src/a.ts", j(`"/ro`, `ot/.cache"`), false],
  ["src/a.ts", j(`"/ho`, `me/ann/x"`), false],
  ["src/a.ts", `"/var/lib/vei/", "src/work/x", "$HOME/work/x"`, true],
  ["src/a_test.ts", j(`Deno.test({ name, ig`, `nore: true, fn })`), false],
  ["src/a_test.ts", j(`Deno.test({ name, ig`, `nore: !root, fn })`), false],
  ["src/a_test.ts", j(`Deno.test({ name, on`, `ly: true, fn })`), false],
  ["src/a_test.ts", j(`Deno.test.ig`, `nore("x", () => {})`), false],
  ["src/a_test.ts", j(`Deno.test.on`, `ly("x", () => {})`), false],
  ["src/a_test.ts", `Deno.test("only: the last one", () => {})`, true],
];

Deno.test("the rules tell good samples from bad ones", () => {
  for (const [path, text, allowed] of SAMPLES) {
    assertEquals(treeFaults({ path, text }).length === 0, allowed, `${path}: ${text.slice(0, 60)}`);
  }
  assertEquals(missingFrom([{ path: "src/a.ts", text: "" }]).includes("src is missing"), false);
  assertEquals(missingFrom([{ path: "src/a.ts", text: "" }]).includes("LICENSE is missing"), true);
});
