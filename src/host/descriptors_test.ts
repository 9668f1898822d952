import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { VeiError } from "../base/errors.ts";
import { asDescriptorError, descriptorLimit, requireDescriptors } from "./descriptors.ts";

Deno.test("the limit is read as the kernel prints it", () => {
  const text = (limit: string) =>
    `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${limit}                 4096                 files\n`;
  assertEquals(descriptorLimit(text("1024")), 1024);
  assertEquals(descriptorLimit(text("unlimited")), Infinity);
  assertEquals(descriptorLimit(""), Infinity);
  requireDescriptors();
  requireDescriptors(256);
  assertThrows(() => requireDescriptors(255), VeiError, "At most 255 descriptors");
});

Deno.test("an error that means no more descriptors is told as such, whatever is around it", () => {
  const inner = new Error("open '/x': Too many open files (os error 24)");
  for (const thrown of [inner, new Error("Cannot write", { cause: inner })]) {
    const told = asDescriptorError(thrown);
    assertEquals(told instanceof VeiError && told.code, "out-of-descriptors");
  }
  const other = new Error("No space left on device");
  assertStrictEquals(asDescriptorError(other), other);
});
