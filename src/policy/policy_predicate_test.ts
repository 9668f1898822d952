import { assert, assertEquals, fail } from "@std/assert";
import { hex } from "../base/bytes.ts";
import { shippedPolicies, shippedPolicy } from "../../diodes/shipped.ts";
import { derivativeMatcher } from "../../tests/judge/derivatives.ts";
import { accepts } from "../../tests/judge/predicate.ts";
import { type Random, seeded } from "../../tests/judge/random.ts";
import { anyRegex, type SomeRegex, textLike } from "../../tests/judge/random_regex.ts";
import { packetRegex } from "./packet_regex.ts";
import { parsePredicate } from "./parse.ts";
import { readPolicy } from "./policy_text.ts";
import { conjunction, type PacketRule, packetRules } from "./policy_predicate.ts";
import { formatPredicate } from "./predicate.ts";
import { readRegex } from "./regex.ts";
import { wholeFile } from "./source.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261124);
const ROUNDS = Number(Deno.env.get("VEI_ROUNDS") ?? 4000);

function rulesOf(body: string): PacketRule[] {
  return packetRules(
    readPolicy(`name = "x"\nversion = "1"\ndescription = "d"\n${body}`, "x.toml"),
  );
}

const said = ({ id, predicate, why }: PacketRule) =>
  `${id}: ${predicate === null ? why : formatPredicate(predicate)}`;

Deno.test("each rule is taken as a predicate, or left with a reason", () => {
  const rules = rulesOf(`
    [limits]
    max_bytes = 10
    max_time = "1 s"
    charset = "printable"
    [[forbid]]
    id = "word"
    words = ["hate", "a/b"]
    ignore_case = true
    [[forbid]]
    id = "whole"
    words = ["hate"]
    whole_words = true
    [[forbid]]
    id = "asked"
    words = ["hate"]
    applies_to = ["input"]
    [[forbid]]
    id = "early"
    words = ["sorry"]
    within = 40
    [[forbid]]
    id = "first"
    regex = '(?:^|x)Sorry'
    [[forbid]]
    id = "last"
    regex = 'bye$|farewell'
    [[forbid]]
    id = "sides"
    regex = '\\bmailto:[^\\s]|[a-z]://'
    [[require]]
    id = "form"
    regex = '[^]*'
    [[require]]
    id = "json"
    json = { max_depth = 2 }`);
  assertEquals(rules.map(said), [
    "word: not matches /(?:hate|a\\/b)/iu",
    "whole: not matches /[^\\uFFFD](?:\\bhate\\b)[^\\uFFFD]/u",
    "asked: it is about what is asked, and the diode sees only what is answered",
    "early: its within counts from the beginning of the whole answer",
    "first: its ^ or $ is the beginning or the end of the whole answer",
    "last: its ^ or $ is the beginning or the end of the whole answer",
    "sides: not matches /[^\\uFFFD](?:\\bmailto:[^\\s])[^\\uFFFD]|[a-z]:\\/\\//u",
    "form: what it requires is a form of the whole answer",
    "json: what it requires is a form of the whole answer",
    "limit:charset: all in [0x09..0x0a, 0x0d, 0x20..0x7e]",
    "limit:max_bytes: it counts the whole answer, over all its packets",
    "limit:max_time: it is about when the whole answer ends, not what it holds",
  ]);
});

Deno.test("what is printed of a shipped policy is read as the same predicate", () => {
  for (const name of shippedPolicies()) {
    const predicate = conjunction(packetRules(readPolicy(shippedPolicy(name), name)));
    if (name === "open") {
      assertEquals(predicate, null);
      continue;
    }
    const text = formatPredicate(predicate!);
    assertEquals(parsePredicate(wholeFile(text, name)), predicate, text);
  }
});

Deno.test("characters that no line shows are written as escapes, and mean the same", () => {
  const words = ["a\nb", "\u2028", "c\u0000", "\u{e0001}/", "\u200b[/]"];
  const [rule] = rulesOf(`[[forbid]]\nid = "w"\nwords = ${JSON.stringify(words)}`);
  const text = formatPredicate(rule.predicate!);
  assert(!/[\p{C}\u2028]/u.test(text), text);
  const read = parsePredicate(wholeFile(text, "w"));
  assertEquals(read, rule.predicate);
  for (const word of words) assert(!accepts(read, new TextEncoder().encode(`x${word}y`)), word);
  assert(accepts(read, new TextEncoder().encode("ab c /")));
});

const PARTS = ["\\b", "\\b", "\\B", "[^a]", "\\W", ".", "a", "a", "b", "é", "ſ", "(?:a|\\b)", "b?"];
const LETTERS = ["a", "a", "b", " ", "é", "ſ", "😀", "ǆ"];

/** An expression with flag u, without `^` and `$`; often one that looks at what is beside it. */
function someRegex(random: Random): SomeRegex {
  if (!random.once(3)) {
    const source = Array.from({ length: 2 + random.below(3) }, () => random.pick(PARTS)).join("");
    return { source, flags: random.once(2) ? "iu" : "u" };
  }
  for (;;) {
    const { source, flags } = anyRegex(random, 3);
    const ours = flags.replace(/[ms]/g, "");
    try {
      if (packetRegex(readRegex(source, ours)) !== null) return { source, flags: ours };
    } catch {
      // Without m, s or u some are no expressions.
    }
  }
}

/** The pieces of the text, in order; empty ones too. */
function cuts(random: Random, text: Uint8Array): Uint8Array[] {
  const at = [0, text.length];
  for (let n = random.below(4); n > 0; n--) at.push(random.below(text.length + 1));
  at.sort((a, b) => a - b);
  return at.slice(1).map((end, i) => text.subarray(at[i], end));
}

/**
 * Whether a match lies in the text with a whole character on either side of it: by trying each
 * place, so it need not find all, and asks no automaton.
 */
function matchesInside({ source, flags }: SomeRegex, text: string): boolean {
  const regex = new RegExp(source, `${flags}y`);
  for (let at = 1; at < text.length; at++) {
    regex.lastIndex = at;
    const found = regex.exec(text);
    if (found === null) continue;
    const [before, behind] = [text.slice(0, at), text.slice(at + found[0].length)];
    // Half a character is none, and V8 finds an empty match of \B there.
    if (/[\ud800-\udbff]$/.test(before)) continue;
    if (behind !== "" && !before.endsWith("\ufffd") && !behind.startsWith("\ufffd")) return true;
  }
  return false;
}

Deno.test("a packet is refused only where the whole text breaks the rule, and where it shows", () => {
  const random = seeded(SEED);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let [refused, shown, only] = [0, 0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const regex = someRegex(random);
    const piece = packetRegex(readRegex(regex.source, regex.flags))!;
    const inText = derivativeMatcher(regex.source, regex.flags);
    const inPiece = derivativeMatcher(piece.source, regex.flags);
    for (let i = 0; i < 6; i++) {
      const like = random.once(3)
        ? textLike(random, regex) + textLike(random, regex)
        : Array.from({ length: random.below(6) }, () => random.pick(LETTERS)).join("");
      const text = new TextEncoder().encode(like.toWellFormed());
      const broken = inText(text);
      for (const packet of cuts(random, text)) {
        const drops = inPiece(packet);
        const what = `seed ${SEED} round ${round}: /${regex.source}/${regex.flags} as ` +
          `/${piece.source}/ on ${hex(packet)} of ${hex(text)}`;
        if (drops && !broken) fail(`${what}: refused, and the text is allowed`);
        if (drops) refused++;
        if (!drops && !broken && inText(packet)) only++;
        if (matchesInside(regex, decoder.decode(packet))) {
          if (!drops) fail(`${what}: not refused`);
          shown++;
        }
      }
    }
  }
  // Packets that the expression as it stands would have refused without reason are among them.
  assert(
    refused > ROUNDS && shown > ROUNDS / 2 && only > ROUNDS / 40,
    `${refused} ${shown} ${only}`,
  );
});
