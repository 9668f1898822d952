import { assert, assertEquals } from "@std/assert";
import { parsePredicate } from "../policy/parse.ts";
import { formatPredicate } from "../policy/predicate.ts";
import { wholeFile } from "../policy/source.ts";
import { seeded } from "../../tests/judge/random.ts";
import { anyPredicate, payloadNear } from "../../tests/judge/random_predicate.ts";
import { compilePredicate } from "./compile.ts";
import { decide } from "./dfa.ts";
import { judge, judgePredicate } from "./judgement.ts";

const split = (text: string) => {
  const { dfa, ...rest } = judgePredicate(parsePredicate(wholeFile(text, "test")));
  return { states: dfa.stateCount, ...rest };
};

Deno.test("sizes and a common bound are taken out of the automaton", () => {
  assertEquals(split('not contains "hate" within 512'), {
    ...{ states: 6, horizon: 512, leastSize: 0, mostSize: null },
  });
  assertEquals(split('size < 1400 and starts_with "{"'), {
    ...{ states: 3, horizon: 1, leastSize: 0, mostSize: 1399 },
  });
  assertEquals(split("size >= 10 and size <= 20 and size > 3"), {
    ...{ states: 2, horizon: null, leastSize: 10, mostSize: 20 },
  });
  assertEquals(split('not contains "hate"').horizon, null);
});

Deno.test("where splitting would tell the deciding byte too late, nothing is split", () => {
  // Three bytes from the bound, it is too late for the word to begin.
  const late = split('contains "hate" within 64');
  assertEquals([late.horizon, late.states > 64], [null, true]);
  assertEquals(split('size < 3 and starts_with "abcd"').mostSize, null);
  assertEquals(split("size > 5 and size < 3"), {
    ...{ states: 2, horizon: null, leastSize: 0, mostSize: null },
  });
});

Deno.test("what depends on no byte is not looked at by none, but decided at the first", () => {
  const none = "all printable within 0";
  const whole = { states: 2, horizon: null, leastSize: 0, mostSize: null };
  assertEquals(split(none), whole);
  assertEquals(split(`${none} and not ${none}`), whole);
  const judgement = judgePredicate(
    parsePredicate(wholeFile(`size < 5 and ${none} and not ${none}`, "test")),
  );
  assertEquals(judge(judgement, new Uint8Array(9)), { accepted: false, offset: 0 });
});

Deno.test("2,000 random predicates: the same verdict at the same byte as the one automaton", () => {
  const random = seeded(11);
  let splits = 0;
  for (let i = 0; i < 2000; i++) {
    const sized = random.once(3);
    const [left, right] = [anyPredicate(random, 2), anyPredicate(random, 1)];
    const predicate = sized ? { kind: "and" as const, left, right } : left;
    const whole = compilePredicate(predicate);
    const judgement = judgePredicate(predicate);
    if (judgement.dfa.stateCount !== whole.stateCount) splits++;
    for (let j = 0; j < 30; j++) {
      const payload = payloadNear(random, predicate);
      const [found, wanted] = [judge(judgement, payload), decide(whole, payload)];
      const text = `${formatPredicate(predicate)} on ${payload}`;
      assertEquals(found.accepted, wanted.accepted, text);
      // A size may be told later to be right, but never later to be wrong.
      if (!wanted.accepted) assertEquals(found.offset, wanted.offset, text);
    }
  }
  assert(splits > 200, `only ${splits} were split`);
});
