/** Automata that go together, against the same automata each by itself, byte by byte. */
import { assert, assertEquals } from "@std/assert";
import { shippedPolicy } from "../../diodes/shipped.ts";
import { type Random, seeded } from "../../tests/judge/random.ts";
import { programWith } from "../../tests/tools/policies.ts";
import { readPolicy } from "../policy/policy_text.ts";
import type { GateAutomaton } from "./automaton.ts";
import { AutomatonRun, earlier, type Found } from "./automaton_run.ts";
import { compileMonitor } from "./compile_monitor.ts";
import { LEAVE, Product, UNKNOWN } from "./product.ts";
import { ProductRun } from "./product_run.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261129);
const TEXTS = 60;
/** Far beyond the distance of what a run remembers. */
const LONGEST = 1500;
const ROOMS = [0, 1, 2, 3, 7, 40, 4096];

/** @returns an automaton for each rule, as where several are too large for one. */
function automataOf(rules: string[]): GateAutomaton[] {
  return rules.map((rule, number) => {
    const [automaton] = programWith([rule]).automata;
    // In a policy of its own it is rule 0, and the charset is 1.
    const brokenRule = automaton.brokenRule.map((one) => one === 0 ? number : rules.length);
    return { ...automaton, brokenRule };
  });
}

/**
 * @returns a text that mostly does just not break a rule.
 * @param often how often a byte that breaks one is taken all the same: one in so many.
 */
function textFor(
  automata: readonly GateAutomaton[],
  random: Random,
  pieces: readonly string[],
  often: number,
): Uint8Array {
  const product = new Product(automata, 1e6);
  const bytes: number[] = [];
  let state = product.stateOf(Int32Array.from(automata, ({ start }) => start));
  const length = random.below(LONGEST);
  while (bytes.length < length) {
    for (const byte of new TextEncoder().encode(random.pick(pieces))) {
      let to = product.next[state + product.classOf[byte]];
      if (to === UNKNOWN) to = product.make(state, byte);
      if (to === LEAVE) {
        if (!random.once(often)) break;
        return Uint8Array.of(...bytes, byte, ...bytes.slice(0, random.below(9)));
      }
      bytes.push(byte);
      state = to;
    }
  }
  return Uint8Array.from(bytes);
}

/** What is seen of several runs at one place. */
interface Seen {
  broken: (Found & { offset: number }) | null;
  /** After each byte where the earliest match under way began, for each of LEFT. */
  earliest: number[][];
  end: Found | null;
}

/** So many bytes may follow. */
const LEFT = [Infinity, 3, 1];

/** Each automaton by itself, byte by byte. */
function apart(automata: readonly GateAutomaton[], text: Uint8Array): Seen {
  const runs = automata.map((automaton) => new AutomatonRun(automaton));
  const earliest: number[][] = [];
  for (const [at, byte] of text.entries()) {
    const one = Uint8Array.of(byte);
    const broken = runs.filter((run) => run.read(one, 1, at) >= 0).map((run) => run.found(at));
    if (broken.length > 0) {
      const found = broken.reduce<Found | null>(earlier, null)!;
      return { broken: { ...found, offset: at }, earliest, end: null };
    }
    earliest.push(LEFT.map((left) => Math.min(...runs.map((run) => run.earliest(at + 1, left)))));
  }
  const ends = runs.map((run) => run.end(text.length)).filter((one) => one !== null);
  return { broken: null, earliest, end: ends.reduce<Found | null>(earlier, null) };
}

/** Together, in pieces; what is seen after each piece has to be the same. */
function compare(product: Product, text: Uint8Array, ends: readonly number[], seen: Seen): void {
  const run = new ProductRun(product);
  let from = 0;
  for (const to of [...ends, text.length]) {
    const index = run.read(text.subarray(from, to), to - from, from);
    if (index >= 0) {
      const offset = from + index;
      return assertEquals({ ...run.found(offset), offset }, seen.broken);
    }
    from = to;
    const earliest = LEFT.map((left) => run.earliest(to, left));
    if (to > 0) assertEquals(earliest, seen.earliest[to - 1], `after ${to} bytes`);
  }
  assertEquals([seen.broken, run.end(text.length)], [null, seen.end]);
}

function compareAll(automata: readonly GateAutomaton[], pieces: readonly string[], random: Random) {
  const products = ROOMS.map((room) => new Product(automata, room));
  let [broken, held, long] = [0, 0, 0];
  for (let i = 0; i < TEXTS; i++) {
    const text = textFor(automata, random, pieces, random.pick([3, 2000]));
    const seen = apart(automata, text);
    if ((seen.broken ?? seen.end) !== null) broken++;
    if (text.length > 600) long++;
    held += seen.earliest.filter(([earliest], at) => earliest < at + 1).length;
    for (const product of products) {
      for (const count of [0, 1, 8, 200]) {
        const ends = Array.from({ length: count }, () => random.below(text.length + 1));
        compare(product, text, ends.sort((a, b) => a - b), seen);
      }
    }
  }
  assert(broken > 3 && broken < TEXTS - 3 && long > 3 && held > 1000, `${[broken, long, held]}`);
}

const RULES: Record<string, string[]> = {
  "beginnings in common": ["\\bcab{3}c", "\\bcab?a[bc]{4}a", "a{4}", "b(?:ca){3}"],
  "one of them always under way": ["[abc ]{9}d", "\\babca", "c{3}$"],
  "broken at the same byte": ["abcabc", "[bc]{2}abc", "c\\b.{2}c", "é[ab]{2}c"],
  "at the end": ["ab?$", "\\bb{3}\\b", "^a[bc]{5}$"],
};

for (const [what, rules] of Object.entries(RULES)) {
  Deno.test(`together as each by itself: ${what}`, () => {
    compareAll(automataOf(rules), ["a", "b", "c", "ab", "ca", " ", " ", "é"], seeded(SEED));
  });
}

Deno.test("together as each by itself: secrets", () => {
  const policy = readPolicy(shippedPolicy("secrets"), "secrets.toml");
  const { automata } = compileMonitor(policy, "output").program;
  const random = seeded(SEED);
  const words = policy.examples.map(({ text }) => text);
  const parts = words.map((text) => text.slice(0, random.below(text.length)));
  compareAll(automata, [...words, ...parts, " ", ". ", "A", "0", "Some plain words, "], random);
});
