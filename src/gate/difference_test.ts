import { assert, assertEquals } from "@std/assert";
import { breaksSome, continuations, type JudgedPolicy } from "../../tests/judge/gate.ts";
import { type Random, seeded } from "../../tests/judge/random.ts";
import { compiled, regex } from "../../tests/tools/judged_policies.ts";
import { policyWith, programWith } from "../../tests/tools/policies.ts";
import { shippedPolicies, shippedPolicy } from "../../diodes/shipped.ts";
import type { ForbidRule, Policy, RequireRule } from "../policy/policy.ts";
import { readPolicy } from "../policy/policy_text.ts";
import { readRegex } from "../policy/regex.ts";
import { compileMonitor } from "./compile_monitor.ts";
import { type Difference, refusedAndAllowed } from "./difference.ts";
import { Monitor, type MonitorProgram } from "./monitor.ts";
import { partsOf } from "./parts.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261130);
const ROUNDS = Number(Deno.env.get("VEI_ROUNDS") ?? 60);

function allows(program: MonitorProgram, text: Iterable<number>): boolean {
  const monitor = new Monitor(program);
  return monitor.push(Uint8Array.from(text)).violation === null && monitor.end().violation === null;
}

/** The difference, once the monitor has said the same of its text. */
function found(refusing: MonitorProgram, allowing: MonitorProgram, what = ""): Difference {
  const difference = refusedAndAllowed(refusing, allowing);
  if (difference.kind === "text" && difference.text !== null) {
    assertEquals(difference.bytes, difference.text.length, what);
    assert(!allows(refusing, difference.text), `${what}: allowed ${difference.text}`);
    assert(allows(allowing, difference.text), `${what}: refused ${difference.text}`);
  }
  return difference;
}

/** Holds what was found against every text of the alphabet up to a length. */
function holdAgainst(
  all: readonly (readonly number[])[],
  length: number,
  { first, second, difference, what }: {
    first: (text: readonly number[]) => boolean;
    second: (text: readonly number[]) => boolean;
    difference: Difference;
    what: string;
  },
): void {
  assert(difference.kind !== "unknown", what);
  const tells = all.find((text) => !first(text) && second(text));
  if (difference.kind === "text") {
    assert(difference.shortest, what);
    if (tells !== undefined) assert(difference.bytes <= tells.length, `${what}: shorter ${tells}`);
    else assert(difference.bytes > 0, what);
  } else {
    assertEquals(tells, undefined, `${what}: none is found up to ${length}`);
  }
}

const judgedPolicy = (random: Random): JudgedPolicy => ({
  forbid: Array.from({ length: random.below(3) }, () => regex(random, random.once(2))),
  charset: random.pick(["utf-8", "utf-8", "ascii", "bytes"]),
  withins: [],
  require: random.once(3) ? [regex(random, true)] : [],
  maxBytes: random.once(3) ? random.below(6) : null,
});

const shown = ({ forbid, require, charset, maxBytes }: JudgedPolicy) =>
  `${forbid.join(" ")} require ${require.join(" ")} ${charset} ${maxBytes}`;

Deno.test("random policies: the text is a shortest, and the definition says the same of it", () => {
  const random = seeded(SEED);
  const length = 4;
  const all = continuations([0x61, 0x62, 0x63, 0x20, 0xc3, 0xa9], length);
  const kinds = { text: 0, none: 0, unknown: 0 };
  for (let round = 0; round < 2 * ROUNDS; round++) {
    const [a, b] = [judgedPolicy(random), judgedPolicy(random)];
    const [first, second] = [compiled(a), compiled(b)];
    if (first === null || second === null) continue;
    const what = `seed ${SEED} round ${round}: ${shown(a)} AND ${shown(b)}`;
    const difference = found(first, second, what);
    kinds[difference.kind]++;
    if (difference.kind === "text") {
      const text = [...difference.text!];
      assert(breaksSome(a, text) && !breaksSome(b, text), `${what}: ${text}`);
    }
    holdAgainst(all, length, {
      first: (text) => !breaksSome(a, text),
      second: (text) => !breaksSome(b, text),
      ...{ difference, what },
    });
  }
  assert(kinds.text > ROUNDS / 2 && kinds.none > ROUNDS / 8, JSON.stringify(kinds));
});

Deno.test("policies that say the same in other words are told to be equivalent", () => {
  const random = seeded(SEED + 1);
  const rewritten: ((source: string) => string[])[] = [
    (source) => [source, source],
    (source) => [`(?:${source}|x${source})`],
    (source) => [`(?:${source})(?:[^]?)`],
    (source) => [`(?:${source}|${source})`, `${source}[^]`],
    (source) => [`^[^]*(?:${source})`],
  ];
  let compared = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { source } = regex(random);
    const flags = random.pick(["su", "isu"]);
    const policy = (sources: string[]): JudgedPolicy => ({
      ...{ forbid: sources.map((one) => new RegExp(one, flags)), charset: "utf-8", withins: [] },
      ...{ require: [], maxBytes: null },
    });
    const other = random.pick(rewritten)(source);
    const [a, b] = [compiled(policy([source])), compiled(policy(other))];
    if (a === null || b === null) continue;
    const what = `seed ${SEED + 1} round ${round}: ${source} and ${other.join(" ")}`;
    assertEquals([found(a, b), found(b, a)], [{ kind: "none" }, { kind: "none" }], what);
    compared++;
    for (let i = 0; i < 100; i++) {
      const text = Array.from({ length: random.below(12) }, () => random.pick([0x61, 0x62, 0x78]));
      assertEquals(allows(a, text), allows(b, text), `${what}: ${text}`);
    }
  }
  assert(compared > ROUNDS / 2, `${compared}`);
});

/** With what no definition of the judges' has: `within` and JSON. */
function somePolicy(random: Random): Policy {
  const maxBytes = random.once(3) ? 1 + random.below(5) : null;
  const forbid = Array.from({ length: random.below(3) }, (_, i): ForbidRule => ({
    ...{ id: `forbid${i}`, description: "", ignoreCase: false, appliesTo: ["output"] },
    match: {
      kind: "regex",
      regex: readRegex(
        random.pick(["1", "11", "\\[\\]", "a1?", "[{}]", '[^"]1$', "1\\b"]),
        "u",
      ),
    },
    within: random.once(2) ? 1 + random.below(4) : null,
  }));
  const require: RequireRule[] = random.once(2) ? [] : [{
    ...{ id: "json", description: "", ignoreCase: false },
    what: { kind: "json", maxDepth: random.below(3) },
  }];
  const base = policyWith([], random.pick(["utf-8", "bytes"]));
  return {
    ...{ ...base, forbid, require },
    limits: { ...base.limits, maxBytes, maxHold: maxBytes === null ? 65_536 : "all" },
  };
}

Deno.test("random policies with within, JSON and max_bytes: as the monitor judges each short text", () => {
  const random = seeded(SEED + 2);
  const length = 4;
  const all = continuations([...'[]{}:,"1a'].map((one) => one.charCodeAt(0)), length);
  const kinds = { text: 0, none: 0, unknown: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const [first, second] = [somePolicy(random), somePolicy(random)]
      .map((policy) => compileMonitor(policy, "output").program);
    const difference = found(first, second, `seed ${SEED + 2} round ${round}`);
    kinds[difference.kind]++;
    holdAgainst(all, length, {
      first: (text) => allows(first, text),
      second: (text) => allows(second, text),
      ...{ difference, what: `seed ${SEED + 2} round ${round}` },
    });
  }
  assert(kinds.text > ROUNDS / 4 && kinds.none > ROUNDS / 8, JSON.stringify(kinds));
});

const asText = (difference: Difference) =>
  difference.kind === "text" && difference.text !== null
    ? new TextDecoder().decode(difference.text)
    : difference.kind;

Deno.test("each shipped policy against each other, in both directions", () => {
  const names = shippedPolicies().filter((name) => name !== "secrets");
  const programs = names.map((name) =>
    compileMonitor(readPolicy(shippedPolicy(name), name), "output").program
  );
  programs.forEach((first, i) =>
    programs.forEach((second, k) => {
      const difference = found(first, second, `${names[i]} and ${names[k]}`);
      // Only the policy that allows everything refuses nothing that another allows.
      const none = i === k || names[i] === "open";
      assertEquals(difference.kind, none ? "none" : "text", `${names[i]} and ${names[k]}`);
    })
  );
});

Deno.test("a text comes from the words that people know", () => {
  const [few, more] = [["hate"], ["hate", "spite"]].map((words) => programWith([{ words }]));
  assertEquals(asText(found(more, few)), "spite");
  assertEquals(asText(found(few, more)), "none");
  const folded = programWith([{ words: ["hate"], ignoreCase: true }]);
  assertEquals(asText(found(folded, few)), "haTE".replace("TE", "tE"));
});

Deno.test("JSON of another depth: the least text that is too deep", () => {
  const json = (maxDepth: number): MonitorProgram => ({
    ...programWith([]),
    json: [{ rule: 0, maxDepth }],
  });
  assertEquals(asText(found(json(3), json(4))), "[[[[]]]]");
  assertEquals(asText(found(json(4), json(3))), "none");
  assertEquals(asText(found(json(500), json(500))), "none");
  // 2^30 ways to open thirty brackets: that cannot be told, and is not said to be the same.
  assertEquals(asText(found(json(30), json(31))), "unknown");
});

Deno.test("limits on bytes: the least text above one of them, however far that is", () => {
  const limited = (bytes: number | null, require?: string): MonitorProgram => {
    const policy = policyWith(["xx"]);
    const regex = require === undefined ? null : readRegex(require, "u");
    return compileMonitor({
      ...policy,
      limits: { ...policy.limits, maxBytes: bytes },
      require: regex === null
        ? []
        : [{ id: "r", description: "", ignoreCase: false, what: { kind: "regex", regex } }],
    }, "output").program;
  };
  const bytes = (a: MonitorProgram, b: MonitorProgram) => {
    const difference = found(a, b);
    return difference.kind === "text" ? difference.bytes : difference.kind;
  };
  assertEquals(bytes(limited(8192), limited(9000)), 8193);
  assertEquals(bytes(limited(9000), limited(8192)), "none");
  assertEquals(bytes(limited(8192), limited(null)), 8193);
  assertEquals(bytes(limited(null), limited(8192)), "none");
  // Only every third length is allowed at all, from 5 on.
  const thirds = "(?:ab)(?:abc)+";
  assertEquals(bytes(limited(8192), limited(null, thirds)), 8195);
  assertEquals(bytes(limited(8192, thirds), limited(8193, thirds)), "none");
  assertEquals(bytes(limited(8192, thirds), limited(8195, thirds)), 8195);
  assertEquals(bytes(limited(1), limited(null, "(?:abcd)?x")), 5);
  assertEquals(bytes(limited(6), limited(null, "(?:abcd)?x")), "none");
  const far = refusedAndAllowed(limited(10 ** 12), limited(null, thirds));
  assertEquals(far, { kind: "text", shortest: true, bytes: 10 ** 12 + 1, text: null });
});

Deno.test("what is asked besides: texts that are UTF-8, and what is refused before its end", () => {
  const [bytes, utf8, nothing] = [
    programWith(["é"], "bytes"),
    programWith([], "utf-8"),
    programWith([], "bytes"),
  ];
  const common = partsOf(utf8);
  assertEquals(refusedAndAllowed(utf8, nothing).kind, "text");
  assertEquals(refusedAndAllowed(utf8, nothing, { common }).kind, "none");
  assertEquals(asText(refusedAndAllowed(bytes, nothing, { common })), "é");
  const ending = programWith(["ab$|abb"], "bytes");
  assertEquals(asText(refusedAndAllowed(ending, nothing)), "ab");
  assertEquals(asText(refusedAndAllowed(ending, nothing, { common, atByte: true })), "abb");
});

Deno.test("where a search was given up, what another found is not called shortest", () => {
  const within = (bytes: number, words: string[], maxBytes: number | null): MonitorProgram => {
    const policy = policyWith(["x", ...words]);
    const [first, ...others] = policy.forbid;
    return compileMonitor({
      ...policy,
      forbid: [{ ...first, within: bytes }, ...others],
      limits: { ...policy.limits, maxBytes },
    }, "output").program;
  };
  assertEquals(found(within(300_001, [], null), within(300_000, [], null)), { kind: "unknown" });
  const far = found(within(300_001, [], 1_000_000), within(300_000, [], null));
  assert(far.kind === "text" && !far.shortest && far.bytes === 1_000_001, far.kind);
  // Within the length of a short one there are not too many.
  const near = found(within(300_001, ["yyy"], null), within(300_000, [], null));
  assert(near.kind === "text" && near.shortest && asText(near) === "yyy", near.kind);
});
