import { assertEquals } from "@std/assert";
import { seeded } from "../../tests/judge/random.ts";
import { IntLists } from "./int_lists.ts";

Deno.test("20,000 lists: each has one number, in the order they came, and is kept", () => {
  const random = seeded(36);
  const lists = new IntLists();
  const numbers = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const list = Int32Array.from({ length: random.below(5) }, () => random.below(9) - 1);
    const key = list.join();
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    assertEquals(lists.find(list), numbers.get(key) === lists.count ? -1 : numbers.get(key));
    assertEquals(lists.intern(list), numbers.get(key));
  }
  assertEquals(lists.count, numbers.size);
  for (const [key, number] of numbers) assertEquals(lists.list(number).join(), key);
  const total = [...numbers.keys()].filter((key) => key !== "").flatMap((key) => key.split(","));
  assertEquals(lists.length, total.length);
});
