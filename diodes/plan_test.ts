import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { VeiError } from "../src/base/errors.ts";
import { CONFIG } from "../src/bpf/layout.ts";
import { parsePredicate } from "../src/policy/parse.ts";
import { wholeFile } from "../src/policy/source.ts";
import { compileDiode, shippedDiode, shippedDiodes } from "./plan.ts";

const RULES = {
  hostMac: "02:00:00:00:00:01",
  guestMac: "52:54:00:12:34:56",
  hostIp: "172.30.0.1",
  guestIp: "172.30.0.11",
  guestPort: 8080,
  maxFrame: 1514,
};

Deno.test("every shipped diode compiles and is named as its file", async () => {
  for (const name of shippedDiodes()) {
    const text = shippedDiode(name);
    const path = new URL(`./${name}.toml`, import.meta.url);
    assertEquals(text, Deno.readTextFileSync(path));
    assertEquals((await compileDiode(text, `${name}.toml`, RULES)).name, name);
  }
});

Deno.test("the shipped diodes are those of the manual, and none gets a warning", async () => {
  const manual = Deno.readTextFileSync(new URL("./README.md", import.meta.url));
  const rows = [...manual.matchAll(/^\| `(\w+)` +\| `([^`]+)` +\|.*\|$/gm)];
  const table = rows.filter(([row]) => row.split("|").length === 5);
  assertEquals(table.map(([, name]) => name), shippedDiodes());
  for (const [, name, predicate] of table) {
    const plan = await compileDiode(shippedDiode(name), name, RULES);
    assertEquals(plan.file.predicate, parsePredicate(wholeFile(predicate, "manual")));
    assertEquals(plan.warnings, []);
  }
});

Deno.test("a diode that accepts no payload closes the link, however it says so", async () => {
  const drops = async (predicate: string) => {
    const text = shippedDiode("closed").replace("'nothing'", `'${predicate}'`);
    const { config, warnings } = await compileDiode(text, "c", RULES);
    return [config[CONFIG.dropEmpty], warnings.length];
  };
  assertEquals(await drops("nothing"), [1, 0]);
  assertEquals(await drops("size < 0"), [1, 1]);
  assertEquals(await drops("size > 5 and size < 3"), [1, 1]);
  assertEquals(await drops("size > 0"), [0, 0]);
  assertEquals(await drops('starts_with "{"'), [0, 0]);
  assertEquals(await drops("anything"), [0, 0]);
  assertEquals(await drops("size >= 0"), [0, 1]);
  assertEquals(await drops("not nothing"), [0, 1]);
});

Deno.test("the same text gives the same digests; the program's is every diode's", async () => {
  const one = await compileDiode(shippedDiode("hateless"), "a", RULES);
  const again = await compileDiode(shippedDiode("hateless"), "b", RULES);
  assertEquals(one, again);
  const other = await compileDiode(one.source.replaceAll("hate", "love"), "a", {
    ...RULES,
    guestPort: 80,
  });
  assertEquals(other.digests.program, one.digests.program);
  assertEquals(other.digests.table === one.digests.table, false);
  assertEquals(other.digests.config === one.digests.config, false);
});

Deno.test("unknown names and broken files are refused", async () => {
  const unknown = assertThrows(() => shippedDiode("hatefull"), VeiError) as VeiError;
  assertEquals([unknown.code, unknown.hint], [
    "diode-unknown",
    `shipped: ${shippedDiodes().join(", ")}; or name a file by a path with a slash`,
  ]);
  assertThrows(() => shippedDiode("constructor"), VeiError);
  const broken = shippedDiode("hateless").replace("within", "inside");
  const error = await assertRejects(() => compileDiode(broken, "h.toml", RULES), VeiError);
  assertEquals((error as VeiError).message.split(": ")[0], "h.toml:5:34");
  const large = broken.replace(/'not.*'/, "'matches /a[ab]{20}c/'");
  const grows = await assertRejects(() => compileDiode(large, "l.toml", RULES), VeiError);
  assertEquals((grows as VeiError).code, "diode-too-large");
  assertMatch(
    (grows as VeiError).message,
    /^l\.toml: Cannot compile .*: the part \[ab\]\{20\} at column 2 of the expression/,
  );
});
