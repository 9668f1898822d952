/** How much the checker of tables has to find: not more than the language makes necessary. */
import { assert, assertEquals } from "@std/assert";
import { checkPairs } from "../../src/proof/checker/table/check.ts";
import { Pairs } from "../../src/proof/checker/table/pairs.ts";
import { claimOfText, refusal } from "./claims.ts";

/** Each would be thousands of pairs, or more than there may be, if one thing were not one object. */
const FEW: [text: string, most: number, what: string][] = [
  ["matches /a[^]{0,40}b/", 500, "numbers of repetitions in a row"],
  ["matches /a[^]{3,20}b/", 400, "numbers that begin later"],
  ["matches /😀S/", 40, "halves of characters, whichever the other half is"],
  ["not matches /^(?:ﬅ|(?:𐐨S){2,}?)/im", 100, "the same with case ignored"],
  ["matches /^[\\p{Lu}é]x/u", 200, "characters that lead on alike"],
  ['not contains "hate" within 512', 2100, "places in a literal, by the bytes before it"],
];

Deno.test("what leads on alike is found to be one", async () => {
  for (const [text, most, what] of FEW) {
    const pairs = (await checkPairs(new Pairs(claimOfText(text)), null)).length / 2;
    console.log(`${text}: ${pairs} pairs`);
    assert(pairs <= most, `${what}: ${pairs} pairs`);
  }
});

Deno.test("a predicate of too many expressions is refused, before memory is full", async () => {
  const claim = claimOfText("nothing");
  const { predicate } = claimOfText("matches /^[ab]{19}x/");
  assertEquals(
    await refusal(() => checkPairs(new Pairs({ ...claim, predicate }), null)),
    "proof-table",
  );
  const source = "a[ab]{40}c[ab]{40}d";
  const large = { kind: "matches", source, flags: "" } as const;
  const code = await refusal(() => checkPairs(new Pairs({ ...claim, predicate: large }), null));
  assertEquals(code, "proof-predicate");
});

/** Sizes that the program compares, beside a table that is not small. */
const SIZED = [
  "size > 65535 and utf8",
  'size > 60000 and not contains "hate" within 512',
  "size > 60001 and matches /^(?:..)*$/s",
  "size < 0 and size > 3",
  'size > 3 and size < 0 and contains "a"',
  'size > 3 and starts_with "abcd" and size < 4',
];

Deno.test("whether any payload of a size is accepted is found without counting to it", async () => {
  for (const text of SIZED) {
    const claim = claimOfText(text);
    assert((await checkPairs(new Pairs(claim), null)).length > 0, text);
    claim.config[43] ^= 1;
    assertEquals(await refusal(() => checkPairs(new Pairs(claim), null)), "proof-table", text);
  }
});
