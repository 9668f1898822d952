import { assertEquals, assertThrows } from "@std/assert";
import { readme, withParts } from "../tools/readme.ts";

Deno.test("the README's tables are those that the source makes", () => {
  assertEquals(
    readme(),
    withParts(readme()),
    "write them anew: deno run -A tests/tools/readme.ts",
  );
});

Deno.test("a README without its marks is told", () => {
  assertThrows(() => withParts("nothing"), Error, "has no <!--");
});
