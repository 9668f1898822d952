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
