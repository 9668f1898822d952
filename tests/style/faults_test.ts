/** The fault matrix and the tests say the same. */
import { assert, assertEquals } from "@std/assert";
import { ELSEWHERE, ROWS } from "../faults/matrix.ts";
import { matrixOf, matrixText } from "../faults/table.ts";
import { casesOf } from "../runner/judge.ts";

const read = (file: string) => Deno.readTextFile(new URL(`../../${file}`, import.meta.url));

Deno.test("each row of the fault matrix has its test, and each such test its row", async () => {
  const named = new Map<string, string>();
  for await (const { name } of Deno.readDir(new URL("../faults", import.meta.url))) {
    if (!name.endsWith("_test.ts")) continue;
    const file = `tests/faults/${name}`;
    const text = await read(file);
    if (!text.includes("fault(")) continue;
    assert(!text.includes("Deno.test("), `${file} has a test without a row`);
    for (const [, fault] of text.matchAll(/^(?:fault\(| {2})"([^"]+)"(?:, async|: \{$)/gm)) {
      if (fault in ROWS) named.set(fault, file);
      else assert(!text.includes(`fault("${fault}"`), `${fault} has no row`);
    }
  }
  const rows = new Map(Object.entries(ROWS).map(([fault, { file }]) => [fault, file]));
  assertEquals([...named].sort(), [...rows].sort());
  for (const [fault, { done, says }] of Object.entries(ROWS)) {
    assert(done !== "" && Array.isArray(says), fault);
  }
});

Deno.test("rows whose tests stand elsewhere name tests that are there", async () => {
  for (const { file, test } of ELSEWHERE) {
    assert((await read(file)).includes(JSON.stringify(test)), `${file} has no test "${test}"`);
  }
});

Deno.test("the table shows a row that failed, and one that did not run", () => {
  const report = `<testsuite name="x" tests="2">
    <testcase name="our link is detached" classname="x" time="1.25" line="1"/>
    <testcase name="our pin is removed" classname="x" time="2"><failure>&lt;no&gt;</failure></testcase>
    <testcase name="a &quot;b&quot; &amp; c" time="0"></testcase></testsuite>`;
  const cases = casesOf(report);
  assertEquals(cases.map(({ name, passed }) => [name, passed]), [
    ["our link is detached", true],
    ["our pin is removed", false],
    ['a "b" & c', true],
  ]);
  const matrix = matrixOf([{ name: "tests/faults/gate_test.ts", cases }]);
  const of = (fault: string) => matrix.rows.find((row) => row.fault === fault)?.outcome;
  assertEquals(of("our link is detached"), "ok");
  assertEquals(of("our pin is removed"), "FAILED");
  assertEquals(of("the tap is deleted"), "NOT RUN");
  assertEquals(of("not root"), undefined);
  assertEquals(matrix.notRun, matrix.rows.length - 2);
  assert(/our link is detached +bpf_link_detach +ok +1\.3/.test(matrixText(matrix)));
});
