/** The test runner counts what goes wrong, whatever the way in which it does. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { judge } from "../runner/judge.ts";

const runner = new URL("../run.ts", import.meta.url).pathname;

/** Runs the runner on a folder with these files. */
async function runOn(files: Record<string, string>, ...options: string[]) {
  const folder = await Deno.makeTempDir({ prefix: "vei-runner-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", runner, ...options, folder],
      cwd: new URL("../..", import.meta.url).pathname,
    }).output();
    const text = new TextDecoder().decode(output.stdout);
    return { code: output.code, text, last: text.trimEnd().split("\n").at(-1) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("what passes is counted, and the exit code is 0", async () => {
  const { code, last, text } = await runOn({
    "one_test.ts": `Deno.test("a", () => {}); Deno.test("b", () => {});`,
    "two_test.ts": `Deno.test("c", async (t) => { await t.step("d", () => {}); });`,
    "helper.ts": `throw new Error("not a test");`,
  });
  assertEquals([code, last], [0, "4 passed, 0 failed"], text);
});

Deno.test("every way to go wrong is counted as a failure", async () => {
  const { code, last, text } = await runOn({
    "good_test.ts": `Deno.test("good", () => {});`,
    "bad_test.ts": `Deno.test("bad", () => { throw new Error('<testsuite tests="9">'); });`,
    "crash_test.ts": `Deno.test("crash", () => {
      new Deno.UnsafePointerView(Deno.UnsafePointer.create(8n)!).getUint8();
    });`,
    "empty_test.ts": `export {};`,
    "import_test.ts": `throw new Error("at import");`,
    "hang_test.ts": `Deno.test("hang", () => { for (;;); });`,
    "ignored_test.ts": `Deno.test({ name: "i", ${"ignore"}: true, fn() {} });`,
    "left_test.ts": `Deno.test("left", async () => {
      await new Deno.Command("sh", { args: ["-c", "sleep 300 >/dev/null 2>&1 &"] }).output();
    });`,
  }, "--deadline=8");
  assertEquals([code, last], [1, "2 passed, 7 failed"], text);
  assertMatch(text, /crash_test\.ts ended without a report, with signal SIGSEGV/);
  assertMatch(text, /empty_test\.ts has no test in it/);
  assertMatch(text, /import_test\.ts failed before its tests/);
  assertMatch(text, /hang_test\.ts did not end within 8 s/);
  assertMatch(text, /ignored_test\.ts 1 skipped/);
  assertMatch(text, /left_test\.ts left a process behind: sleep 300/);
});

Deno.test("a type error costs its own file only", async () => {
  const { code, last, text } = await runOn({
    "wrong_test.ts": `const x: number = "x"; Deno.test("w", () => void x);`,
    "right_test.ts": `Deno.test("r", () => {});`,
  });
  assertEquals([code, last], [1, "1 passed, 1 failed"], text);
  assertStringIncludes(text, "TS2322");
});

Deno.test("a run without a test fails", async () => {
  const { code, last } = await runOn({ "readme.txt": "" });
  assertEquals([code, last], [1, "0 passed, 0 failed"]);
});

Deno.test("a report that cannot be read passes nothing", () => {
  const ending = { code: 0, signal: null, timedOutAfter: null, leftBehind: [] };
  for (const report of ["", "<testsuite tests='3'>", '<testsuite tests="x" failures="0">']) {
    const { passed, failed } = judge({ ...ending, report });
    assertEquals([passed, failed], [0, 1], report);
  }
  const all = '<testsuite tests="2" disabled="0" errors="0" failures="0">';
  assertEquals(judge({ ...ending, report: all }).passed, 2);
  const { passed, failed } = judge({ ...ending, code: 1, report: all });
  assertEquals([passed, failed], [2, 1], "an exit code that contradicts the report is a failure");
});

Deno.test("the names of the tests that failed stand at the end", async () => {
  const { text } = await runOn({
    "good_test.ts": `Deno.test("good", () => {});`,
    "bad_test.ts": `Deno.test("fine", () => {}); Deno.test("bad one", () => { throw 1; });`,
    "crash_test.ts": `throw 1;`,
  });
  const end = text.trimEnd().split("\n").slice(-5, -1).map((line) => line.replace(/ \S*\//, " "));
  assertEquals(end, ["", "FAILED bad_test.ts: bad one", "FAILED crash_test.ts", ""], text);
});
