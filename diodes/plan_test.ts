import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VeiError } from "../src/base/errors.ts";
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

Deno.test("the same text gives the same digests; the program's is every diode's", async () => {
  const one = await compileDiode(shippedDiode("hateless"), "a", RULES);
  const again = await compileDiode(shippedDiode("hateless"), "b", RULES);
  assertEquals(one, again);
  const other = await compileDiode(one.source.replaceAll("512", "64"), "a", {
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
    "shipped: hateless; or name a file by a path with a slash",
  ]);
  assertThrows(() => shippedDiode("constructor"), VeiError);
  const broken = shippedDiode("hateless").replace("within", "inside");
  const error = await assertRejects(() => compileDiode(broken, "h.toml", RULES), VeiError);
  assertEquals((error as VeiError).message.split(": ")[0], "h.toml:5:34");
});
