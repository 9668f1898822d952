import { assert } from "@std/assert";
import { parsePredicate } from "../../src/policy/parse.ts";
import { wholeFile } from "../../src/policy/source.ts";
import { Payloads } from "./payloads.ts";
import { type Random, seeded } from "./random.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261129);

const PREDICATES = [
  "json_depth <= 2",
  "json_depth <= 300",
  'contains "hate" within 512',
  'starts_with "a literal that is longer than some of the buffers, and than what is made anew"',
  "utf8",
  "all printable within 64",
  "size < 1400",
  "matches /(ab|c)*d/",
];

/** @returns the same, that gives up where so many numbers are drawn that it would never end. */
function patient(random: Random, most: number): Random {
  let drawn = 0;
  const count = () => {
    if (++drawn > most) throw new Error("no end is in sight");
  };
  return {
    below: (n) => (count(), random.below(n)),
    pick: (from) => (count(), random.pick(from)),
    once: (n) => (count(), random.once(n)),
    bytes: (length) => (count(), random.bytes(length)),
  };
}

Deno.test("payloads end where the buffer does, however small it is", () => {
  const random = seeded(SEED);
  for (const text of PREDICATES) {
    const predicate = parsePredicate(wholeFile(text, "x"));
    for (const size of [0, 1, 2, 13, 60, 400, 2048]) {
      const into = new Uint8Array(size);
      for (let i = 0; i < 300; i++) {
        const length = new Payloads(patient(random, 50_000), predicate).fill(into);
        assert(length >= 0 && length <= size, `${text}: ${length} of ${size}`);
      }
    }
  }
});
