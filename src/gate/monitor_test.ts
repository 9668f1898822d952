import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "../base/bytes.ts";
import { VeiError } from "../base/errors.ts";
import { Monitor, type MonitorProgram, type Violation } from "./monitor.ts";
import { compareCut, inPieces } from "../../tests/tools/cuts.ts";
import { policyWith, programWith, type WordRule } from "../../tests/tools/policies.ts";
import { type Policy, USUAL_LIMITS } from "../policy/policy.ts";
import { compileMonitor } from "./compile_monitor.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

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

Deno.test("every way of cutting in two and byte by byte gives the same", () => {
  for (const [program, texts] of POLICIES) {
    for (const bytes of texts.map(encode)) {
      const whole = inPieces(program, bytes, []);
      for (const place of bytes.keys()) compareCut(program, bytes, [place], whole);
      compareCut(program, bytes, [...bytes.keys()], whole);
    }
  }
});

Deno.test("a byte that may not be there and ends a word besides: the word's rule, its start", () => {
  for (
    const [charset, rule, text, start] of [
      ["ascii", "bb\\b", "abb\u00e9", 1],
      ["ascii", "bb$|bb[^a]", "abb\u00e9", 1],
      ["printable", "b\\x01[^]*$", "ab\x01", 1],
      // Neither a word character nor the end of one may follow from it.
      ["ascii", "bb[é!]", "abb\u00e9", 3],
      ["printable", "b\\x01c", "ab\x01", 2],
    ] as const
  ) {
    const { violation } = inPieces(programWith([rule], charset), encode(text), []);
    const named = start === 1 ? 0 : 1; // limit:charset comes after the rules
    assertEquals([violation?.rule, violation?.start], [named, start], `${rule} ${charset}`);
  }
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
