/** Random predicates: their compiled maps are proved, and a certificate proves nothing else. */
import { assert, assertEquals } from "@std/assert";
import { formatPredicate, type Predicate } from "../../src/policy/predicate.ts";
import { checkPairs, checkTable, HEADER_BYTES } from "../../src/proof/checker/table/check.ts";
import { Pairs } from "../../src/proof/checker/table/pairs.ts";
import { tableCertificate } from "../../src/proof/table_certificate.ts";
import { type Random, seeded } from "../judge/random.ts";
import { anyPredicate, WHOLE } from "../judge/random_predicate.ts";
import { claimUnlessTooLarge, refusal } from "./claims.ts";
import { sameWalk } from "./same_walk.ts";

Deno.test("200 random predicates are proved to be what they are compiled to", async () => {
  const random = seeded(76);
  let pairs = 0;
  for (let done = 0; done < 200;) {
    const claim = claimUnlessTooLarge(anyPredicate(random, 3, WHOLE));
    if (claim === null) continue;
    done++;
    pairs += await checkTable(claim, await tableCertificate(claim));
  }
  console.log(`${pairs} pairs`);
  assert(pairs > 8000);
});

const literal = (random: Random, old: Uint8Array) => {
  const changed = old.slice();
  changed[random.below(changed.length)] ^= 1 << random.below(8);
  return changed;
};

/** @returns the predicate with one number, literal, operator or flag changed. */
function changed(random: Random, predicate: Predicate): Predicate {
  switch (predicate.kind) {
    case "not":
      return random.once(3)
        ? predicate.operand
        : { kind: "not", operand: changed(random, predicate.operand) };
    case "and":
    case "or": {
      const { kind, left, right } = predicate;
      if (random.once(4)) return { kind: kind === "and" ? "or" : "and", left, right };
      if (random.once(6)) return { kind: "not", operand: predicate };
      return random.once(2)
        ? { kind, left: changed(random, left), right }
        : { kind, left, right: changed(random, right) };
    }
    case "size":
    case "json-depth": {
      if (random.once(2)) return { ...predicate, bound: predicate.bound + 1 };
      return { ...predicate, comparison: random.pick(["<", "<=", ">", ">=", "=="]) };
    }
    case "contains":
      return random.once(2) && predicate.within !== null
        ? { ...predicate, within: predicate.within + 1 }
        : { ...predicate, literal: literal(random, predicate.literal) };
    case "starts-with":
      return { ...predicate, literals: predicate.literals.map((one) => literal(random, one)) };
    case "printable":
    case "all-in":
      return predicate.within === null
        ? { kind: "not", operand: predicate }
        : { ...predicate, within: Math.max(0, predicate.within + random.pick([-1, 1])) };
    case "matches":
      return predicate.flags.includes("i")
        ? { ...predicate, flags: predicate.flags.replace("i", "") }
        : { ...predicate, source: `(?:${predicate.source})a` };
    default:
      return { kind: "not", operand: predicate };
  }
}

Deno.test("300 changed predicates: refused, unless they mean the same", async () => {
  const random = seeded(77);
  let [refused, same] = [0, 0];
  while (refused + same < 300) {
    const claim = claimUnlessTooLarge(anyPredicate(random, 2, WHOLE));
    if (claim === null) continue;
    const other = claimUnlessTooLarge(changed(random, claim.predicate));
    if (other === null) continue;
    const certificate = await tableCertificate(claim);
    const asked = { ...claim, predicate: other.predicate };
    const what = `${formatPredicate(claim.predicate)} | ${formatPredicate(other.predicate)}`;
    if (formatPredicate(claim.predicate) === formatPredicate(other.predicate)) continue;
    assertEquals(await refusal(() => checkTable(asked, certificate)), "proof-certificate", what);
    // And by pairs found for the two, or the old ones, without regard to what they are bound to.
    const code = await refusal(() => checkPairs(new Pairs(asked), null));
    const states = certificate.subarray(HEADER_BYTES);
    const old = await refusal(() => checkPairs(new Pairs(asked), states));
    if (code === null) {
      same++;
      assert(sameWalk(claim, other), what);
    } else {
      refused++;
      assert(old !== null, what);
    }
  }
  console.log(`${refused} refused, ${same} mean the same`);
  assert(refused > 200);
});
