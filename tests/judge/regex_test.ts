/** Three opinions on regular expressions: our automaton's, JavaScript's RegExp and derivatives. */
import { assert, assertEquals, fail } from "@std/assert";
import { compilePredicate } from "../../src/automaton/compile.ts";
import { decide, type Dfa } from "../../src/automaton/dfa.ts";
import { VeiError } from "../../src/base/errors.ts";
import { hex } from "../../src/base/bytes.ts";
import { codePoints, codeUnits, sameLetters } from "./characters.ts";
import { derivativeMatcher } from "./derivatives.ts";
import { MOST_PAYLOAD, Payloads } from "./payloads.ts";
import { accepts } from "./predicate.ts";
import { seeded } from "./random.ts";
import { anyRegex, CHARACTERS } from "./random_regex.ts";

function compiled(regex: { source: string; flags: string }): Dfa | null {
  try {
    return compilePredicate({ kind: "matches", ...regex });
  } catch (error) {
    if (error instanceof VeiError && error.code === "diode-too-large") return null;
    throw error;
  }
}

Deno.test("5,000 random expressions: 200,000 payloads, three judges of one opinion", () => {
  const random = seeded(42);
  const buffer = new Uint8Array(MOST_PAYLOAD);
  let [tooLarge, matched] = [0, 0];
  for (let done = 0; done < 5000;) {
    const nested = random.once(3);
    const regex = anyRegex(random, 3, nested);
    const dfa = compiled(regex);
    if (dfa === null) {
      tooLarge++;
      continue;
    }
    done++;
    const predicate = { kind: "matches", ...regex } as const;
    const derivative = derivativeMatcher(regex.source, regex.flags);
    const payloads = new Payloads(random, predicate, 64);
    for (let i = 0; i < 40; i++) {
      const payload = buffer.subarray(0, payloads.fill(buffer));
      const ours = decide(dfa, payload).accepted;
      const derived = derivative(payload);
      // Where repetitions are nested JavaScript's engine is asked of short texts only.
      const engine = nested && payload.length > 8 ? ours : accepts(predicate, payload);
      if (ours !== engine || ours !== derived) {
        const opinions = `automaton ${ours}, RegExp ${engine}, derivatives ${derived}`;
        fail(`/${regex.source}/${regex.flags} on ${hex(payload)}: ${opinions}`);
      }
      if (ours) matched++;
    }
  }
  assert(tooLarge < 50, `${tooLarge} are too large`);
  assert(matched > 50_000 && matched < 150_000, `${matched} matched`);
});

Deno.test("the judges read bytes as TextDecoder does", () => {
  const random = seeded(43);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const limits = [0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0];
  limits.push(0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff, 0xbb);
  for (let i = 0; i < 100_000; i++) {
    const bytes = Uint8Array.from({ length: random.below(8) }, () => random.pick(limits));
    const text = decoder.decode(bytes);
    const points = codePoints(bytes);
    if (String.fromCodePoint(...points) !== text) fail(`${hex(bytes)}: ${points}`);
    assertEquals(codeUnits(points).length, text.length);
  }
});

Deno.test("the judges take the same letters for the same as V8 does", () => {
  for (const unicode of [false, true]) {
    const flags = unicode ? "iu" : "i";
    for (let first = 0x20; first < 0x20000; first += first < 0x600 ? 1 : 7) {
      if (!unicode && first > 0xffff) break;
      if (first >= 0xd800 && first <= 0xdfff) continue;
      const source = `^\\u${
        unicode ? `{${first.toString(16)}}` : first.toString(16).padStart(4, "0")
      }$`;
      const regex = new RegExp(source, flags);
      const near = [first, first + 1, first - 1, first ^ 0x20, ...sameLetters(first, unicode)];
      for (const text of [...CHARACTERS, ...near.map((point) => String.fromCodePoint(point))]) {
        const wanted = regex.test(text);
        const points = [...text].map((character) => character.codePointAt(0)!);
        const units = unicode ? points : codeUnits(points);
        const found = units.length === 1 && sameLetters(first, unicode).includes(units[0]);
        if (found !== wanted) fail(`${source} ${flags} on ${text}: ${found}`);
      }
    }
  }
});
