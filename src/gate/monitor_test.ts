import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "../base/bytes.ts";
import { VeiError } from "../base/errors.ts";
import { Monitor, type MonitorProgram, type Violation } from "./monitor.ts";
import { policyWith, programWith, type WordRule } from "../../tests/tools/policies.ts";
import { type Policy, USUAL_LIMITS } from "../policy/policy.ts";
import { compileMonitor } from "./compile_monitor.ts";

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
  const { released, violation } = monitor.end();
  return { released: decode(concat(...out, released)), violation };
}

/** Policies of every kind: words, expressions, what the whole must be, limits. */
const POLICIES: readonly (readonly [program: MonitorProgram, texts: readonly string[]])[] = [
  [
    programWith([{ words: ["hate", "hateful", "that e"], ignoreCase: true }]),
    ["What hat? A hatter that eats: I ha", "prefix that HaTe suffix"],
  ],
  [
    programWith(["\\bk[éa]{2,3}\\b", "a$", "(?:ab){2}\\d{1,9};", "^x.{0,5}y"]),
    ["ké kéaéé ab ababab12", "kéé", "xééy and", "abab12345; z", "a", "\xff"],
  ],
  [
    compileMonitor({
      ...policyWith([{ words: ["forbidden"] }]),
      limits: { ...USUAL_LIMITS, maxBytes: 30 },
      require: [{
        id: "json",
        description: "",
        what: { kind: "json", maxDepth: 3 },
        ignoreCase: false,
      }],
    }, "output").program,
    [
      '{"a": [1, "forbid", {}]}',
      '{"a": "forbidden"}',
      "[[[[1]]]]",
      '"0123456789012345678901234567890"',
    ],
  ],
];

Deno.test("every way of cutting gives the same bytes and the same verdict: a million cuts", () => {
  const next = random(7);
  let cuts = 0;
  for (const [program, texts] of POLICIES) {
    for (const bytes of texts.map(encode)) {
      const want = runPieces(new Monitor(program), [bytes]);
      for (let cut = 0; cut <= bytes.length; cut++, cuts++) {
        const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
        assertEquals(runPieces(new Monitor(program), pieces), want);
      }
      const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
      assertEquals(runPieces(new Monitor(program), single), want);
      for (let done = 0; done < 90_000;) {
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < bytes.length;) {
          const size = Math.floor(next() * 6);
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        done += pieces.length;
        cuts += pieces.length;
        const { released, violation } = runPieces(new Monitor(program), pieces);
        if (released !== want.released || violation?.offset !== want.violation?.offset) {
          assertEquals({ released, violation }, want, `${pieces.map(({ length }) => length)}`);
        }
      }
    }
  }
  assert(cuts >= 1_000_000, `${cuts}`);
});

Deno.test("the hold-back is not the minimal automaton's: abx|cabx", () => {
  const program = programWith([{ words: ["abx", "cabx"], ignoreCase: false }]);
  for (const [text, hold] of [["ab", 2], ["cab", 3], ["xcab", 3], ["xab", 2], ["q", 0]] as const) {
    const monitor = new Monitor(program);
    monitor.push(encode(text));
    assertEquals(monitor.holding, hold, text);
  }
});

Deno.test("with no live partial match nothing is held back", () => {
  const monitor = new Monitor(programWith([{ words: ["hate"], ignoreCase: true }]));
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
  const run = (text: string) => runPieces(new Monitor(programWith(rules)), [encode(text)]);
  // The first rule in the policy is named; the start is the leftmost of both.
  assertEquals(run("hate"), { released: "", violation: { rule: 0, offset: 3, start: 0 } });
  assertEquals(run("I hate"), { released: "I ", violation: { rule: 0, offset: 5, start: 2 } });
  assertEquals(run("I hat"), { released: "I hat", violation: null });
});

Deno.test("what every end will break is broken at once, and what forbids every text is refused", () => {
  const run = (rule: string, text: string) =>
    runPieces(new Monitor(programWith([rule])), [encode(text)]);
  assertEquals(run("x[^]*$", "axb"), {
    released: "a",
    violation: { rule: 0, offset: 1, start: 1 },
  });
  // Whatever follows the b is followed by an end.
  assertEquals(run("ab(?:[^c][^]*)?$", "abd"), {
    released: "",
    violation: { rule: 0, offset: 2, start: 0 },
  });
  for (const rule of ["(?:a|)$", "$", "\\B$|\\b$"]) {
    const { code } = assertThrows(() => programWith([rule]), VeiError);
    assertEquals(code, "policy-forbids-everything", rule);
  }
});

Deno.test("the end counts as a byte behind the last: for within, and for what max_bytes leaves", () => {
  const policy = policyWith([{ words: ["ab"], wholeWords: true }]);
  const program = (limits: Partial<Policy["limits"]>, within: number | null = null) =>
    compileMonitor({
      ...policy,
      limits: { ...policy.limits, ...limits },
      forbid: policy.forbid.map((rule) => ({ ...rule, within })),
    }, "output").program;
  const run = (within: number) => runPieces(new Monitor(program({}, within)), [encode("ab")]);
  assertEquals(run(2), { released: "ab", violation: null });
  assertEquals(run(3), { released: "", violation: { rule: 0, offset: 2, start: 0 } });
  // After two bytes an end may still come, after the one that may follow `a` none.
  for (const [text, hold] of [["ab", 2], [" a", 0]] as const) {
    const monitor = new Monitor(program({ maxBytes: 2 }));
    monitor.push(encode(text));
    assertEquals(monitor.holding, hold, text);
  }
});

Deno.test("ignoring case follows RegExp's iu for every letter, also where lengths differ", () => {
  for (const word of ["straSSe", "ΣΑΣ", "kelvin", "ÅNGSTRÖM", "éa", "µm", "Ωmega"]) {
    const program = programWith([{ words: [word], ignoreCase: true }]);
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
      const { violation } = runPieces(new Monitor(program), [encode(`x${text}x`)]);
      assertEquals(violation !== null, pattern.test(`x${text}x`), `${word} in ${text}`);
    }
  }
});

Deno.test("after a violation or the end nothing more is taken", () => {
  const program = programWith([{ words: ["a"], ignoreCase: false }]);
  const stopped = new Monitor(program);
  stopped.push(encode("xa"));
  assertThrows(() => stopped.push(encode("b")), TypeError);
  assertThrows(() => stopped.end(), TypeError);
});
