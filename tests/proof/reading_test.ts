/** The checker's reading of the language, against its meaning evaluated directly. */
import { assertEquals, fail } from "@std/assert";
import { hex } from "../../src/base/bytes.ts";
import { formatPredicate, type Predicate } from "../../src/policy/predicate.ts";
import { readRegex } from "../../src/policy/regex.ts";
import { PredicateReader } from "../../src/proof/checker/table/predicate.ts";
import { accepts } from "../judge/predicate.ts";
import { MOST_PAYLOAD, Payloads } from "../judge/payloads.ts";
import { type Random, seeded } from "../judge/random.ts";
import { anyPredicate, WHOLE } from "../judge/random_predicate.ts";
import { anyRegex } from "../judge/random_regex.ts";

const buffer = new Uint8Array(MOST_PAYLOAD);

/** Judges payloads by the checker's reading, from the first byte to the last. */
function compare(random: Random, predicate: Predicate, payloads: number): number {
  const reader = new PredicateReader(readRegex);
  const first = reader.read(predicate);
  const made = new Payloads(random, predicate);
  let accepted = 0;
  for (let i = 0; i < payloads; i++) {
    const payload = buffer.subarray(0, made.fill(buffer));
    const last = payload.reduce((at, byte) => at.derive(byte), first);
    if (last.ends() !== accepts(predicate, payload)) {
      fail(`${formatPredicate(predicate)} is read otherwise for ${hex(payload)}`);
    }
    if (last.ends()) accepted++;
  }
  return accepted;
}

Deno.test("500 random predicates: 100,000 payloads are accepted as by direct evaluation", () => {
  const random = seeded(71);
  let accepted = 0;
  for (let i = 0; i < 500; i++) {
    accepted += compare(random, anyPredicate(random, 3, WHOLE), 200);
  }
  assertEquals(accepted > 20_000 && accepted < 80_000, true, `${accepted} accepted`);
});

Deno.test("400 random expressions: 60,000 payloads are accepted as by RegExp", () => {
  const random = seeded(72);
  for (let i = 0; i < 400; i++) {
    compare(random, { kind: "matches", ...anyRegex(random, 3) }, 150);
  }
});

/** What is rare in random expressions, each with flags under which it means something else. */
const RARE: [source: string, flags: string[]][] = [
  ["^\\B$|\\b\\B", ["", "m", "iu"]],
  ["(?:^a|b$)+", ["", "m", "imsu"]],
  ["\\bſ\\b", ["", "i", "u", "iu"]],
  ["[^\\W]\\b", ["", "i", "iu"]],
  ["^[^a-z]$", ["i", "iu", "u"]],
  ["^.$", ["", "s", "u", "su"]],
  ["\\ud83d", ["", "u", "i"]],
  ["^\\ud83d\\ude00$", ["", "u"]],
  ["[\\ud83d\\ude00-\\ude10]", ["", "i"]],
  ["^\\ufffd{2}$", ["", "u"]],
  ["^[^\\ufffd]*$", ["", "u"]],
  ["\\p{Lu}{2}|\\P{L}\\b", ["u", "iu"]],
  ["(?:a{2,3}){2}b", ["", "i"]],
  ["(?:a|(?:)){3}b$", ["", "m"]],
  ["(?:a?){2,}$|[]", [""]],
  ["a{0}b{1}(?:[^]){2}", [""]],
  ["(?:\\b|x){2,4}y", ["", "iu"]],
];

Deno.test("rare parts of expressions are read as RegExp reads them", () => {
  const random = seeded(73);
  for (const [source, all] of RARE) {
    for (const flags of all) compare(random, { kind: "matches", source, flags }, 400);
  }
});

Deno.test("classes of bytes: no byte leads elsewhere than the others of its class", () => {
  const random = seeded(74);
  for (let i = 0; i < 60; i++) {
    const predicate = anyPredicate(random, 2, WHOLE);
    const reader = new PredicateReader(readRegex);
    const first = reader.read(predicate);
    const made = new Payloads(random, predicate);
    for (let j = 0; j < 5; j++) {
      const payload = buffer.slice(0, made.fill(buffer));
      const last = payload.reduce((at, byte) => at.derive(byte), first);
      for (let byte = 0; byte < 256; byte++) {
        const longer = new Uint8Array([...payload, byte]);
        const alike = reader.classOf.indexOf(reader.classOf[byte]);
        const said = last.derive(alike).ends();
        if (said !== accepts(predicate, longer)) {
          fail(`${formatPredicate(predicate)} is read otherwise for ${hex(longer)}`);
        }
      }
    }
  }
});
