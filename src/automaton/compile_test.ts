import { assert, assertEquals, assertThrows } from "@std/assert";
import { VeiError } from "../base/errors.ts";
import { parsePredicate } from "../policy/parse.ts";
import { formatPredicate, type Predicate } from "../policy/predicate.ts";
import { wholeFile } from "../policy/source.ts";
import { accepts } from "../../tests/judge/predicate.ts";
import { anyPredicate, payloadNear } from "../../tests/judge/random_predicate.ts";
import { seeded } from "../../tests/judge/random.ts";
import { compilePredicate } from "./compile.ts";
import { DEAD, decide, type Dfa, UNIVERSAL } from "./dfa.ts";
import { minimise } from "./minimise.ts";

const compile = (text: string) => compilePredicate(parsePredicate(wholeFile(text, "p")));
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("1,500 random predicates: 45,000 payloads are judged as by direct evaluation", () => {
  const random = seeded(21);
  for (let i = 0; i < 1500; i++) {
    const predicate = anyPredicate(random, 4);
    const dfa = compilePredicate(predicate);
    for (let j = 0; j < 30; j++) {
      const payload = payloadNear(random, predicate);
      const same = decide(dfa, payload).accepted === accepts(predicate, payload);
      assert(same, `${formatPredicate(predicate)} on ${payload}`);
    }
  }
});

Deno.test("random predicates: minimal, complete, numbered as promised", () => {
  const random = seeded(22);
  for (let i = 0; i < 600; i++) {
    const predicate = anyPredicate(random, 3);
    checkForm(compilePredicate(predicate), formatPredicate(predicate));
  }
});

Deno.test("one automaton for all ways to say the same", () => {
  const random = seeded(23);
  const not = (operand: Predicate): Predicate => ({ kind: "not", operand });
  for (let i = 0; i < 300; i++) {
    const [left, right] = [anyPredicate(random, 2), anyPredicate(random, 2)];
    const either = compilePredicate({ kind: "or", left, right });
    assertEquals(compilePredicate({ kind: "or", left: right, right: left }), either);
    const deMorgan = not({ kind: "and", left: not(left), right: not(right) });
    assertEquals(compilePredicate(deMorgan), either);
  }
});

Deno.test("the offset is the byte that decides, or the length when the end does", () => {
  const of = (predicate: string, payload: string) => {
    const { accepted, offset } = decide(compile(predicate), bytes(payload));
    return `${accepted ? "accepts" : "rejects"} ${offset}`;
  };
  const hateless = 'not contains "hate" within 512';
  assertEquals(of(hateless, "I hate Mondays"), "rejects 5");
  assertEquals(of(hateless, "I hat"), "accepts 5");
  assertEquals(of(hateless, "x".repeat(508) + "hate"), "rejects 511");
  // From the 510th byte on no "hate" can begin and end in time.
  assertEquals(of(hateless, "x".repeat(509) + "hate"), "accepts 508");
  assertEquals(of("size < 5", "abcdef"), "rejects 4");
  assertEquals(of("size > 5", "abc"), "rejects 3");
  assertEquals(of("size > 2", "abcd"), "accepts 2");
  assertEquals(of('starts_with "{"', "x"), "rejects 0");
  assertEquals(of('starts_with "{"', ""), "rejects 0");
  assertEquals(of('starts_with_any ["ab", "a"]', "ab"), "accepts 0");
  assertEquals(of("all printable within 3", "ab\n"), "rejects 2");
  assertEquals(of("all printable within 3", "abc\n"), "accepts 2");
  assertEquals(of("all printable within 3", "ab"), "accepts 2");
  assertEquals(of("size < 0", "a"), "rejects 0");
});

Deno.test("the automaton of hateless, of everything and of nothing", () => {
  const hateless = compile('not contains "hate" within 512');
  checkForm(hateless, "hateless", false);
  assertEquals([hateless.stateCount, hateless.classCount], [2035, 5]);
  for (const [text, start] of [["size >= 0", UNIVERSAL], ["size < 0", DEAD]] as const) {
    const dfa = compile(text);
    assertEquals([dfa.stateCount, dfa.classCount, dfa.start, dfa.acceptFrom], [2, 1, start, 2]);
  }
});

Deno.test("too large: the error names the part that grows", () => {
  const error = assertThrows(
    () => compile('size < 60000 and contains "hate" within 60000'),
    VeiError,
  ) as VeiError;
  assertEquals(error.code, "diode-too-large");
  assert(error.message.includes('contains "hate" within 60000'), error.message);
});

/** Checks minimality by the definition (two states differ by some word), and the numbering. */
function checkForm(dfa: Dfa, what: string, pairs = true) {
  const { classCount: k, stateCount: n, next, acceptFrom } = dfa;
  const accepting = (state: number) => state === UNIVERSAL || state >= acceptFrom;
  assertEquals(next.length, n * k, what);
  assert(next.every((state) => state < n) && dfa.classOf.every((symbol) => symbol < k), what);
  assertEquals(new Set(dfa.classOf).size, k, what);
  const columns = Array.from({ length: k }, (_, c) => next.filter((_, i) => i % k === c).join());
  assertEquals(new Set(columns).size, k, `${what}: classes that nothing tells apart`);

  const reached = new Set([dfa.start]);
  for (const state of reached) {
    for (let c = 0; c < k; c++) reached.add(next[state * k + c]);
  }
  for (let state = 2; state < n; state++) assert(reached.has(state), `${what}: ${state} unreached`);
  for (let c = 0; c < k; c++) {
    assertEquals([next[DEAD * k + c], next[UNIVERSAL * k + c]], [DEAD, UNIVERSAL], what);
  }
  if (!pairs) return;
  // Moore's table: differ[i][j] once some word tells i from j.
  const differ = Array.from(
    { length: n },
    (_, i) => Array.from({ length: n }, (_, j) => accepting(i) !== accepting(j)),
  );
  for (let changed = true; changed;) {
    changed = false;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        if (differ[i][j]) continue;
        for (let c = 0; c < k && !differ[i][j]; c++) {
          if (differ[next[i * k + c]][next[j * k + c]]) changed = differ[i][j] = true;
        }
      }
    }
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) assert(differ[i][j], `${what}: states ${i} and ${j} are one`);
  }
}

Deno.test("5,000 random automata of any form: minimal whichever way they are made so", () => {
  const random = seeded(24);
  for (let i = 0; i < 5000; i++) {
    const [n, k] = [1 + random.below(7), 1 + random.below(3)];
    // Mostly forwards or to itself, so that a good part has no longer cycle.
    const forwards = random.once(2);
    const next = Uint32Array.from({ length: n * k }, (_, entry) => {
      const state = Math.floor(entry / k);
      return forwards ? state + random.below(n - state) : random.below(n);
    });
    const accepting = Uint8Array.from({ length: n }, () => random.below(2));
    const raw = { classCount: k, stateCount: n, start: 0, accepting, next };
    // Moore's refinement, as many times as there are states.
    let classOf = [...accepting];
    for (let round = 0; round < n; round++) {
      const rows = classOf.map((one, s) => {
        return [one, ...Array.from({ length: k }, (_, c) => classOf[next[s * k + c]])].join();
      });
      classOf = rows.map((row) => rows.indexOf(row));
    }
    const found = minimise(raw);
    assertEquals(found.stateCount, new Set(classOf).size);
    // Both run side by side: never does one accept what the other does not.
    const pairs = new Set([`${found.start},0`]);
    for (const pair of pairs) {
      const [a, b] = pair.split(",").map(Number);
      assertEquals(found.accepting[a], accepting[b]);
      for (let c = 0; c < k; c++) pairs.add(`${found.next[a * k + c]},${next[b * k + c]}`);
    }
  }
});
