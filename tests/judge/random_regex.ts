/** Random regular expressions of the regular subset, and texts that they probably match. */
import { type AST, RegExpParser } from "@eslint-community/regexpp";
import { sameLetters } from "./characters.ts";
import type { Random } from "./random.ts";

/** Characters in which cases, words, line breaks, lengths in UTF-8 and UTF-16 are at odds. */
export const CHARACTERS: readonly string[] = [
  ..."abAkKsSiI_09 -\t\n\r\0\x7f\x85éÉßẞıİſ\u212aΣςσµμǆǅﬅﬆΐ\u1fd3Åᾳᾼ\u07ff\u0800",
  ..."\u2028\u2029\ufeff\ufffd\ud7ff\ue000😀😎𐐀𐐨\u{10000}\u{10ffff}",
];

/** Those that need no escape, and among which case is hardest. */
const LETTERS = CHARACTERS.filter((character) => /\p{L}/u.test(character));
const LITERALS = ["a", "b", "k", "S", "é", "ſ", "ß", "Σ", "😀", "_", " ", "\\.", "\\/", "\\n"];
const ESCAPES = [
  "\\x41",
  "\\u212a",
  "\\ud83d",
  "\\ude00",
  "\\ufffd",
  "\\cJ",
  "\\0",
  "\\t",
  "\\xff",
];
const SETS = [".", ".", "\\w", "\\W", "\\d", "\\D", "\\s", "\\S"];
const CLASS_PARTS = [
  ...["a", "k-s", "A-Z", "0-9", "À-ÿ", "ά-ω", "\\x00-\\x1f", "\\ufffd", "_", "é", "ı", "\\b", "-"],
  ...["\\w", "\\W", "\\d", "\\D", "\\s", "\\S"],
];
const ASSERTIONS = ["^", "$", "\\b", "\\B"];
const COUNTS = ["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "{0}", "{3,4}", "{0,5}", "{1}"];
/** Only with flag u. Properties are hundreds of ranges, so they take long: they are rare. */
const PROPERTIES = ["\\p{Lu}", "\\P{Lu}", "\\p{Script=Greek}", "\\p{L}", "\\P{ASCII}"];
const UNICODE = ["\\u{1f600}", "😀", "𐐨", "[^😀]"];
const UNICODE_PARTS = ["😀-😎", "𐐨", "\\u{10000}-\\u{10ffff}", "\\u{0}-\\u{ffff}"];

/** An expression as `matches` has it. */
export interface SomeRegex {
  source: string;
  /** Some of `i m s u`, in this order. */
  flags: string;
}

/** What a random expression may be made of. */
interface Manner {
  unicode: boolean;
  /** Repetitions within repetitions. */
  nested: boolean;
}

/**
 * @param depth of groups, alternatives and repetitions at most.
 * @param nested repetitions within repetitions as well. JavaScript's engine may search for years
 * then, as for `(.|a)*b`; without, its search takes a time that is a small power of the length.
 */
export function anyRegex(random: Random, depth: number, nested = false): SomeRegex {
  const flags = [..."imsu"].filter(() => random.once(2)).join("");
  const [head, tail] = [random.once(4) ? "^" : "", random.once(4) ? "$" : ""];
  const middle = part(random, depth, { unicode: flags.includes("u"), nested });
  // Without parentheses `^a|b$` ties each alternative by one end: that as well.
  return { source: random.once(2) ? head + middle + tail : `${head}(?:${middle})${tail}`, flags };
}

function part(random: Random, depth: number, manner: Manner): string {
  if (depth === 0 || random.once(5)) {
    const count = random.once(6) ? random.pick(COUNTS) : "";
    return count === "" ? element(random, manner) : random.pick(LITERALS) + count;
  }
  const inner = () => part(random, depth - 1, manner);
  switch (random.below(7)) {
    case 0:
      return `(?:${inner()}|${random.once(5) ? "" : inner()})`;
    case 1:
      return `${inner()}|${inner()}`;
    case 2:
    case 3: {
      const count = random.pick(COUNTS);
      const body = manner.nested ? inner() : repeated(random, manner, /[*+]|,\}/.test(count));
      return `(?:${body})${count}${random.once(3) ? "?" : ""}`;
    }
    case 4:
      return `(${random.once(2) ? `?<n${random.below(2 ** 30)}>` : ""}${inner()})`;
    default:
      return inner() + inner();
  }
}

/** What is repeated where nothing in it is; without alternatives where there is no end to it. */
function repeated(random: Random, manner: Manner, endless: boolean): string {
  const one = element(random, manner);
  if (random.once(2)) return one;
  return one + (endless || random.once(2) ? "" : "|") + element(random, manner);
}

function element(random: Random, { unicode }: Manner): string {
  if (unicode && random.once(6)) return random.pick(random.once(4) ? PROPERTIES : UNICODE);
  switch (random.below(7)) {
    case 0:
      return random.pick(ASSERTIONS);
    case 1:
      return random.pick(ESCAPES);
    case 2:
      return random.pick(SETS);
    case 3:
      return characterClass(random, unicode);
    case 4:
      return random.pick(LETTERS);
    default:
      return random.pick(LITERALS);
  }
}

function characterClass(random: Random, unicode: boolean): string {
  const parts = Array.from(
    { length: random.below(4) },
    () => random.pick(unicode && random.once(3) ? UNICODE_PARTS : CLASS_PARTS),
  );
  if (unicode && random.once(8)) parts.push(random.pick(PROPERTIES));
  // A hyphen between two parts would be a range, or refused: it goes to the end.
  const ordered = parts.filter((one) => one !== "-").join("") + (parts.includes("-") ? "-" : "");
  return `[${random.once(3) ? "^" : ""}${ordered}]`;
}

/** @returns a text that follows the expression, with some characters other than they should be. */
export function textLike(random: Random, { source, flags }: SomeRegex): string {
  const parser = new RegExpParser({ ecmaVersion: 2025 });
  const unicode = flags.includes("u");
  const pattern = parser.parsePattern(source, 0, source.length, { unicode });
  const sampler = new Sampler(random, flags.includes("i"));
  const text = sampler.text(pattern);
  const around = () => random.once(2) ? "" : random.pick(CHARACTERS);
  return around() + text + around();
}

class Sampler {
  /** What may still be written, so that nested repetitions do not multiply. */
  private left = 60;

  constructor(private readonly random: Random, private readonly ignoreCase: boolean) {}

  text(node: AST.Node): string {
    const { random } = this;
    switch (node.type) {
      case "Pattern":
      case "Group":
      case "CapturingGroup":
        return this.text(random.pick(node.alternatives));
      case "Alternative":
        return node.elements.map((one) => this.text(one)).join("");
      case "Quantifier": {
        const most = Math.min(node.max, node.min + 3);
        let times = node.min + random.below(most - node.min + 1);
        if (random.once(6)) times += random.once(2) ? 1 : -1;
        let text = "";
        while (times-- > 0 && this.left > 0) text += this.text(node.element);
        return text;
      }
      case "Assertion":
        return random.once(6) ? random.pick(["\n", " ", "k", "\u2028"]) : "";
      case "Character":
        return this.character(node.value);
      case "CharacterClassRange":
        return this.character(random.pick([node.min.value, node.max.value, node.max.value + 1]));
      case "CharacterClass": {
        const parts = node.elements as readonly AST.ClassRangesCharacterClassElement[];
        if (node.negate || parts.length === 0) return random.pick(CHARACTERS);
        return this.text(random.pick(parts));
      }
      case "CharacterSet":
        this.left--;
        if (node.kind === "digit" && !node.negate) return String(random.below(10));
        if (node.kind === "space" && !node.negate) return random.pick([" ", "\n", "\ufeff"]);
        return random.pick(CHARACTERS);
      default:
        return "";
    }
  }

  private character(value: number): string {
    const { random } = this;
    this.left--;
    if (random.once(12)) return random.pick(CHARACTERS);
    const point = Math.min(value, 0x10ffff);
    const text = String.fromCodePoint(point);
    if (!this.ignoreCase || random.once(3)) return text;
    if (random.once(2)) return String.fromCodePoint(random.pick(sameLetters(point, true)));
    return random.once(2) ? text.toUpperCase() : text.toLowerCase();
  }
}
