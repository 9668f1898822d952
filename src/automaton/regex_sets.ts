/** Which characters a part of a regular expression stands for: ECMA-262, 22.2.2.7 and 22.2.2.9. */
import type { AST, RegexFlags } from "../policy/regex.ts";
import { type CodeSet, codeSet, complementOf } from "./code_points.ts";
import { closeUnderCase } from "./fold.ts";

/** The largest character: a code point with flag u, a UTF-16 code unit without. */
export function mostOf({ unicode }: RegexFlags): number {
  return unicode ? 0x10ffff : 0xffff;
}

/** LineTerminator. */
export const LINE_BREAKS: CodeSet = [[0x0a, 0x0a], [0x0d, 0x0d], [0x2028, 0x2029]];

const DIGITS: CodeSet = [[0x30, 0x39]];
const WORD: CodeSet = [[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];

/** WhiteSpace and LineTerminator; Zs has been like this since Unicode 6.3. */
const SPACE: CodeSet = [
  ...[[0x09, 0x0d], [0x20, 0x20], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a]] as const,
  ...[[0x2028, 0x2029], [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000]] as const,
  [0xfeff, 0xfeff],
];

/** @returns what `\w` and `\b` take for a word's characters: WordCharacters. */
export function wordCharacters({ ignoreCase, unicode }: RegexFlags): CodeSet {
  return ignoreCase && unicode ? closeUnderCase(WORD, true) : WORD;
}

/** @returns the characters that one element of an expression matches. */
export function charactersOf(
  element: AST.Character | AST.CharacterSet | AST.CharacterClass,
  flags: RegexFlags,
): CodeSet {
  if (element.type !== "CharacterClass") return itemOf(element, flags);
  const items = element.elements as AST.ClassRangesCharacterClassElement[];
  const all = codeSet(
    items.flatMap((item) =>
      item.type === "CharacterClassRange"
        ? withCase([[item.min.value, item.max.value]], flags)
        : itemOf(item, flags)
    ),
  );
  // Case first, then the opposite: [^a] with flag i does not match A.
  return element.negate ? complementOf(all, mostOf(flags)) : all;
}

function withCase(set: CodeSet, { ignoreCase, unicode }: RegexFlags): CodeSet {
  return ignoreCase ? closeUnderCase(set, unicode) : set;
}

function itemOf(item: AST.Character | AST.CharacterSet, flags: RegexFlags): CodeSet {
  if (item.type === "Character") return withCase([[item.value, item.value]], flags);
  if (item.kind === "property") return withCase(property(item.raw), flags);
  // No line break, digit or space has case, and the words' characters are all there with theirs.
  const most = mostOf(flags);
  switch (item.kind) {
    case "any":
      return flags.dotAll ? [[0, most]] : complementOf(LINE_BREAKS, most);
    case "digit":
      return item.negate ? complementOf(DIGITS, most) : DIGITS;
    case "space":
      return item.negate ? complementOf(SPACE, most) : SPACE;
    case "word": {
      const word = wordCharacters(flags);
      return item.negate ? complementOf(word, most) : word;
    }
  }
}

/** What each `\p{…}` has been found to match: constants, but a tenth of a second each. */
const properties = new Map<string, CodeSet>();

/** @returns the code points that `\p{…}` matches by the tables of the JavaScript at hand. */
function property(escape: string): CodeSet {
  const known = properties.get(escape);
  if (known !== undefined) return known;
  const one = new RegExp(`^${escape}`, "u");
  const ranges: [number, number][] = [];
  for (let point = 0; point <= 0x10ffff; point++) {
    if (!one.test(String.fromCodePoint(point))) continue;
    const last = ranges.at(-1);
    if (last && last[1] === point - 1) last[1] = point;
    else ranges.push([point, point]);
  }
  properties.set(escape, ranges);
  return ranges;
}
