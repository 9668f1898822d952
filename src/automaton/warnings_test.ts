import { assert, assertEquals } from "@std/assert";
import { parsePredicate } from "../policy/parse.ts";
import { formatPredicate, type Predicate } from "../policy/predicate.ts";
import { wholeFile } from "../policy/source.ts";
import { accepts } from "../../tests/judge/predicate.ts";
import { seeded } from "../../tests/judge/random.ts";
import { anyPredicate, payloadNear } from "../../tests/judge/random_predicate.ts";
import { judgePredicate } from "./judgement.ts";
import { warningsOf } from "./warnings.ts";

const warnings = (predicate: Predicate) => warningsOf(predicate, judgePredicate(predicate));
const ofText = (text: string) => warnings(parsePredicate(wholeFile(text, "p")));

const NOTHING = [
  "size < 0",
  "not anything",
  "nothing and utf8",
  "size > 5 and size < 3",
  "size < 5 and size < 0",
  'starts_with "a" and starts_with "b"',
  'contains "abc" within 2',
  'size == 3 and starts_with "abcd"',
  "json_depth > 1 and size < 2",
  "json_depth < 0",
  "all in [0x00..0x7f] and matches /é/",
  "all printable within 0 and not all printable within 0",
  "matches /[]/",
  "matches /a^/",
  "matches /\\ud83d/u",
];

const EVERYTHING = [
  "size >= 0",
  "not nothing",
  "not size < 0",
  "size < 5 or size >= 5",
  "utf8 or not utf8",
  "all in [0x00..0x7f, 0x80..0xff]",
  "all printable within 0",
  "json_depth >= 0",
  "matches /^/",
  "matches /a*/",
  "matches /(?:)/u",
];

Deno.test("a predicate that accepts nothing gets one warning, which says so", () => {
  for (const text of NOTHING) {
    const [warning, ...more] = ofText(text);
    assert(warning?.includes("accepts no payload"), `${text}: ${warning}`);
    assertEquals(more, []);
  }
});

Deno.test("a predicate that accepts everything gets one warning, which says so", () => {
  for (const text of EVERYTHING) {
    const [warning, ...more] = ofText(text);
    assert(warning?.includes("accepts every payload"), `${text}: ${warning}`);
    assertEquals(more, []);
  }
});

Deno.test("none for what is said outright, nor for what tells payloads apart", () => {
  const fine = ["nothing", "anything", "size > 0", "size <= 65535", 'contains "a"', "utf8"];
  fine.push("size == 0", "json_depth <= 2", "matches /a/", "matches /\\ufffd/");
  for (const text of fine) assertEquals([text, ...ofText(text)], [text]);
});

Deno.test("1,500 random predicates: where there is a warning, it is true", () => {
  const random = seeded(51);
  const warned = [0, 0];
  for (let i = 0; i < 1500; i++) {
    const predicate = anyPredicate(random, 3);
    for (const warning of warnings(predicate)) {
      const every = warning.includes("every");
      warned[Number(every)]++;
      for (let j = 0; j < 30; j++) {
        const payload = payloadNear(random, predicate);
        assertEquals(accepts(predicate, payload), every, formatPredicate(predicate));
      }
    }
  }
  assert(warned[0] > 20 && warned[1] > 20, `${warned}`);
});
