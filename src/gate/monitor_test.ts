import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "../base/bytes.ts";
import { Monitor, type Violation } from "./monitor.ts";
import { compileWords, type WordRule } from "./words.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** mulberry32: seeded, so that a failure can be run again. */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Result {
  released: string;
  violation: Violation | null;
}

function runPieces(monitor: Monitor, pieces: Uint8Array[]): Result {
  const out: Uint8Array[] = [];
  for (const piece of pieces) {
    const step = monitor.push(piece);
    out.push(step.released);
    if (step.violation) return { released: decode(concat(...out)), violation: step.violation };
  }
  out.push(monitor.end().released);
  return { released: decode(concat(...out)), violation: null };
}

/** The definition itself, without an automaton. */
function ideal(rules: WordRule[], text: string): Result & { releasedAfter: number[] } {
  const words = rules.flatMap((rule, index) =>
    rule.words.map((word) => ({ index, word: rule.ignoreCase ? word.toLowerCase() : word, rule }))
  );
  const releasedAfter: number[] = [];
  for (let end = 1; end <= text.length; end++) {
    const seen = (fold: boolean) => fold ? text.slice(0, end).toLowerCase() : text.slice(0, end);
    const done = words.filter(({ word, rule }) => seen(rule.ignoreCase).endsWith(word));
    if (done.length > 0) {
      const start = end - Math.max(...done.map(({ word }) => word.length));
      const rule = Math.min(...done.map(({ index }) => index));
      const released = text.slice(0, start);
      return { released, violation: { rule, offset: end - 1, start }, releasedAfter };
    }
    // The longest end of the text that some continuation completes to a word.
    let hold = 0;
    for (const { word, rule } of words) {
      for (let n = 1; n < word.length; n++) {
        if (seen(rule.ignoreCase).endsWith(word.slice(0, n))) hold = Math.max(hold, n);
      }
    }
    releasedAfter.push(end - hold);
  }
  return { released: text, violation: null, releasedAfter };
}

Deno.test("releases exactly what no continuation can make part of a violation, at every byte", () => {
  const next = random(20260101);
  const letters = (count: number, from: string) =>
    Array.from({ length: count }, () => from[Math.floor(next() * from.length)]).join("");
  for (let round = 0; round < 4000; round++) {
    const rules: WordRule[] = Array.from({ length: 1 + Math.floor(next() * 3) }, () => ({
      words: Array.from(
        { length: 1 + Math.floor(next() * 3) },
        () => letters(1 + Math.floor(next() * 5), "ab"),
      ),
      ignoreCase: next() < 0.3,
    }));
    const text = letters(Math.floor(next() * 24), next() < 0.5 ? "abc" : "abcAB");
    const want = ideal(rules, text);
    const monitor = new Monitor(compileWords(rules));
    let released = 0;
    let violation: Violation | null = null;
    for (const [i, byte] of encode(text).entries()) {
      const step = monitor.push(Uint8Array.of(byte));
      released += step.released.length;
      violation = step.violation;
      if (violation) break;
      assertEquals(released, want.releasedAfter[i], `${JSON.stringify({ round, rules, text, i })}`);
    }
    assertEquals(violation, want.violation, JSON.stringify({ round, rules, text }));
    assertEquals(released + (violation ? 0 : monitor.end().released.length), want.released.length);
  }
});

Deno.test("every way of cutting gives the same bytes and the same verdict", () => {
  const next = random(7);
  const automaton = compileWords([{ words: ["hate", "hateful", "that e"], ignoreCase: true }]);
  const text = encode("What hat? A hatter that eats: I ha");
  const hit = encode("prefix that HaTe suffix");
  for (const bytes of [text, hit]) {
    const want = runPieces(new Monitor(automaton), [bytes]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
      assertEquals(runPieces(new Monitor(automaton), pieces), want);
    }
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    assertEquals(runPieces(new Monitor(automaton), single), want);
    for (let round = 0; round < 20_000; round++) {
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length;) {
        const size = Math.floor(next() * 6);
        pieces.push(bytes.subarray(at, at + size));
        at += size;
      }
      assertEquals(runPieces(new Monitor(automaton), pieces), want);
    }
  }
});

Deno.test("the hold-back is not the minimal automaton's: abx|cabx", () => {
  const automaton = compileWords([{ words: ["abx", "cabx"], ignoreCase: false }]);
  for (const [text, hold] of [["ab", 2], ["cab", 3], ["xcab", 3], ["xab", 2], ["q", 0]] as const) {
    const monitor = new Monitor(automaton);
    monitor.push(encode(text));
    assertEquals(monitor.holding, hold, text);
  }
});

Deno.test("with no live partial match nothing is held back", () => {
  const monitor = new Monitor(compileWords([{ words: ["hate"], ignoreCase: true }]));
  assertEquals(
    decode(monitor.push(encode("The weather is fine.")).released),
    "The weather is fine.",
  );
  assertEquals(monitor.holding, 0);
});

Deno.test("a violation at byte 0, at the very end, and two rules at the same byte", () => {
  const rules: WordRule[] = [
    { words: ["ate"], ignoreCase: false },
    { words: ["hate"], ignoreCase: false },
  ];
  const run = (text: string) => runPieces(new Monitor(compileWords(rules)), [encode(text)]);
  // The first rule in the policy is named; the start is the leftmost of both.
  assertEquals(run("hate"), { released: "", violation: { rule: 0, offset: 3, start: 0 } });
  assertEquals(run("I hate"), { released: "I ", violation: { rule: 0, offset: 5, start: 2 } });
  assertEquals(run("I hat"), { released: "I hat", violation: null });
});

Deno.test("ignoring case follows RegExp's iu for every letter, also where lengths differ", () => {
  for (const word of ["straSSe", "ΣΑΣ", "kelvin", "ÅNGSTRÖM", "éa", "µm", "Ωmega"]) {
    const automaton = compileWords([{ words: [word], ignoreCase: true }]);
    const pattern = new RegExp(word, "iu");
    for (
      const text of [
        word,
        word.toLowerCase(),
        word.toUpperCase(),
        "ſtraſſe",
        "σασ",
        "σας",
        "\u212aelvin",
        "ångström",
        "ÉA",
        "μM",
        "\u2126MEGA",
        "e\u0301a",
      ]
    ) {
      const { violation } = runPieces(new Monitor(automaton), [encode(`x${text}x`)]);
      assertEquals(violation !== null, pattern.test(`x${text}x`), `${word} in ${text}`);
    }
  }
});

Deno.test("after a violation or the end nothing more is taken", () => {
  const automaton = compileWords([{ words: ["a"], ignoreCase: false }]);
  const stopped = new Monitor(automaton);
  stopped.push(encode("xa"));
  assertThrows(() => stopped.push(encode("b")), TypeError);
  assertThrows(() => stopped.end(), TypeError);
});
