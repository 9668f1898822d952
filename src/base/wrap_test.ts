import { assertEquals } from "@std/assert";
import { wrapped } from "./wrap.ts";

Deno.test("text is wrapped at words, with what each line begins with", () => {
  assertEquals(wrapped("aa bb cc dd", 7, "- ", "  "), ["- aa bb", "  cc dd"]);
  assertEquals(wrapped("a longerthanthat b", 5, "# "), ["# a", "# longerthanthat", "# b"]);
  assertEquals(wrapped("", 5, "#"), ["#"]);
});
