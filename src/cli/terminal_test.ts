import { assert, assertEquals } from "@std/assert";
import { jsonText, printable } from "./terminal.ts";

/** Every character that a terminal can take for a command, and some that it cannot. */
const TEXT = Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code)).join("") + "→😀";

Deno.test("what steers a terminal becomes a replacement character; all else stays", () => {
  const shown = printable(TEXT);
  // deno-lint-ignore no-control-regex
  assert(!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(shown));
  assertEquals(shown.length, TEXT.length);
  assert(shown.endsWith("ſ→😀") === TEXT.endsWith("ſ→😀") && shown.includes("\t\n"));
});

Deno.test("JSON for a terminal is the same value, without a byte that steers it", () => {
  const text = jsonText({ [TEXT]: [TEXT] });
  // deno-lint-ignore no-control-regex
  assert(!/[\u0000-\u001f\u007f-\u009f]/.test(text));
  assertEquals(JSON.parse(text), { [TEXT]: [TEXT] });
  assertEquals(jsonText({ a: 1 }, 2), '{\n  "a": 1\n}');
});
