/** Maps in which one thing is wrong: the certificate no longer holds, unless nothing comes of it. */
import { assert, assertEquals } from "@std/assert";
import { checkPairs } from "../../src/proof/checker/table/check.ts";
import { Pairs } from "../../src/proof/checker/table/pairs.ts";
import { PredicateReader } from "../../src/proof/checker/table/predicate.ts";
import { type Random, seeded } from "../judge/random.ts";
import { claimOfText, type OwnClaim, refusal } from "./claims.ts";
import { sameWalk } from "./same_walk.ts";

const CLASSES = 2 * 65_793, KINDS = CLASSES + 256, END = KINDS + 256;

/** Tries one mutant after another, with what the checker has read of the predicate kept. */
class Mutants {
  private readonly reader: PredicateReader;
  private readonly states: Promise<Uint8Array>;
  readonly width: number;
  readonly rows: number;
  tried = 0;
  harmless = 0;

  constructor(private readonly text: string, private readonly claim: OwnClaim) {
    this.reader = new PredicateReader(claim.readRegex);
    this.states = checkPairs(new Pairs(claim, this.reader), null);
    this.width = 2 + Math.max(...claim.table.subarray(CLASSES, KINDS));
    const used = claim.table.subarray(0, CLASSES).findLastIndex((byte) => byte !== 0) / 2;
    this.rows = Math.ceil(used / this.width);
  }

  async try(map: "table" | "config", at: number, value: number, bytes: 1 | 2 | 4): Promise<void> {
    const view = new DataView(this.claim[map].buffer);
    const put = (number: number) => {
      if (bytes === 1) view.setUint8(at, number);
      else if (bytes === 2) view.setUint16(at, number, true);
      else view.setUint32(at, number, true);
    };
    const was = bytes === 1
      ? view.getUint8(at)
      : bytes === 2
      ? view.getUint16(at, true)
      : view.getUint32(at, true);
    if (value === was) return;
    const states = await this.states;
    const original = { ...this.claim, [map]: this.claim[map].slice() };
    put(value);
    this.tried++;
    const code = await refusal(() => checkPairs(new Pairs(this.claim, this.reader), states));
    if (code === null) {
      this.harmless++;
      const where = `${this.text}: ${map} ${at}: ${was} → ${value}`;
      assert(sameWalk(original, this.claim), `accepted: ${where}`);
    }
    put(was);
  }

  async entry(random: Random, index: number): Promise<void> {
    const state = random.below(this.rows) * this.width;
    const value = random.pick([state, state, state, state + 1, random.below(65_536), 0, 255]);
    await this.try("table", 2 * index, value, 2);
  }
}

const SMALL = [
  'starts_with_any ["{", "["]',
  'size < 1400 and starts_with "{"',
  "json_depth <= 2",
  "utf8",
  'size > 2 and not contains "hat" within 20',
  "all printable within 16",
  "matches /^(?:é|\\bk)+$/iu",
  "nothing",
];

Deno.test("small tables: every entry, class, kind and number is changed, and found out", async () => {
  for (const text of SMALL) {
    const claim = claimOfText(text);
    const all = new Mutants(text, claim);
    const used = all.rows * all.width;
    for (let index = 0; index < used; index++) {
      for (let row = 0; row <= all.rows; row++) {
        await all.try("table", 2 * index, row * all.width, 2);
      }
      for (const value of [1, 2, 127, 65_535]) await all.try("table", 2 * index, value, 2);
    }
    for (let byte = 0; byte < 256; byte++) {
      const [symbol, kind] = [CLASSES, KINDS].map((map) => claim.table[map + byte]);
      for (const value of [symbol + 1, symbol - 1 & 0xff, 0, 255]) {
        await all.try("table", CLASSES + byte, value, 1);
      }
      for (const value of [0, kind << 1 & 0xff, kind >> 1, 255]) {
        await all.try("table", KINDS + byte, value, 1);
      }
    }
    for (const index of [used, used + 1, 65_535, 65_792]) {
      await all.try("table", 2 * index, all.width, 2);
    }
    for (let at = END; at < claim.table.length; at++) await all.try("table", at, 1, 1);
    const config = new DataView(claim.config.buffer);
    await all.try("config", 28, config.getUint16(28, true) + all.width, 2);
    await all.try("config", 28, 1, 2);
    for (const at of [32, 36, 44, 48, 52]) {
      const number = config.getUint32(at, true);
      for (
        const value of [number + 1, number - 1, number + all.width, 0, 1536, 1537, 2 ** 32 - 1]
      ) {
        await all.try("config", at, value >>> 0, 4);
      }
    }
    await all.try("config", 43, 1 - claim.config[43], 1);
    console.log(`${text}: ${all.tried} mutants, of ${all.harmless} comes nothing`);
    assert(all.tried > 1000, text);
    // Of a table that is dead from the start little can be reached.
    if (text !== "nothing") assert(all.harmless < all.tried / 3, text);
  }
});

const LARGE: [text: string, mutants: number][] = [
  ["not matches /\\b(?:cat|dog|horse|mouse|rabbit|weasel|badger|otter|stoat|fox)s?\\b/i", 10_000],
  ["matches /^(?:[a-f]{1,20}-){1,12}x$/", 2000],
];

Deno.test("large tables: 12,000 entries are changed at random, and found out", async () => {
  const random = seeded(75);
  for (const [text, mutants] of LARGE) {
    const all = new Mutants(text, claimOfText(text));
    while (all.tried < mutants) await all.entry(random, random.below(all.rows * all.width));
    console.log(`${text}: ${all.rows} rows of ${all.width}, of ${all.harmless} comes nothing`);
    assert(all.rows > 30, text);
    assert(all.harmless < mutants / 5, `${all.harmless}`);
  }
});

Deno.test("the search for a difference finds one, and none between equals", () => {
  const one = claimOfText('not contains "hate" within 512');
  assertEquals(sameWalk(one, claimOfText('not contains "hate" within 512')), true);
  assertEquals(sameWalk(one, claimOfText('not contains "hate" within 511')), false);
  assertEquals(sameWalk(one, claimOfText('not contains "hatf" within 512')), false);
  assertEquals(sameWalk(claimOfText("size < 1400"), claimOfText("size <= 1400")), false);
  assertEquals(sameWalk(claimOfText("json_depth <= 2"), claimOfText("json_depth <= 3")), false);
  assertEquals(sameWalk(claimOfText("json_depth <= 2"), claimOfText("json_depth < 3")), true);
});
