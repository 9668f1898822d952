/**
 * An expression that is looked for in a text → one that is looked for in a piece of it, a packet,
 * and matches only where the whole text has a match, whatever the pieces around it hold.
 *
 * Two things in a piece are not what they are in the text. At its edges `\b` sees an end that may be
 * none. And a character that was cut in two is read as U+FFFD on either side, which `[^a]` matches.
 * So an expression that either could deceive has to match with a whole character beside it.
 */
import { type AST, readRegex, type Regex } from "./regex.ts";

/** A character, and one that was not cut in two. */
const WHOLE = "[^\\uFFFD]";

type Side = "left" | "right";

/** @returns the expression for pieces; null: `^` or `$` in it ask for the ends of the whole text. */
export function packetRegex(regex: Regex): Regex | null {
  if (asksForEnds(regex.pattern)) return null;
  const flags = flagsOf(regex);
  const byContext = new Map<string, string[]>();
  for (const alternative of regex.pattern.alternatives) {
    const around = (side: Side) => deceivedAt(alternative, side, flags) ? WHOLE : "";
    const context = `${around("left")}|${around("right")}`;
    byContext.set(context, [...byContext.get(context) ?? [], alternative.raw]);
  }
  const sources = [...byContext].map(([context, raws]) => {
    const [left, right] = context.split("|");
    const either = raws.join("|");
    return left === "" && right === "" ? either : `${left}(?:${either})${right}`;
  });
  return readRegex(printable(sources.join("|"), regex.flags.unicode), flags);
}

/** @returns the letters of the flags, in alphabetical order. */
export function flagsOf({ flags }: Regex): string {
  const { ignoreCase, multiline, dotAll, unicode } = flags;
  return (ignoreCase ? "i" : "") + (multiline ? "m" : "") + (dotAll ? "s" : "") +
    (unicode ? "u" : "");
}

function asksForEnds(node: AST.Node): boolean {
  switch (node.type) {
    case "Assertion":
      return node.kind === "start" || node.kind === "end";
    case "Pattern":
    case "Group":
    case "CapturingGroup":
      return node.alternatives.some(asksForEnds);
    case "Alternative":
      return node.elements.some(asksForEnds);
    case "Quantifier":
      return asksForEnds(node.element);
    default:
      return false;
  }
}

/** @returns whether an edge of the piece could deceive the node when a match reaches to that side. */
function deceivedAt(node: AST.Node, side: Side, flags: string): boolean {
  switch (node.type) {
    case "Assertion":
      return true;
    case "Character":
    case "CharacterSet":
    case "CharacterClass":
      return new RegExp(`^${node.raw}$`, flags).test("\uFFFD");
    case "Quantifier":
      return deceivedAt(node.element, side, flags);
    case "Group":
    case "CapturingGroup":
      return node.alternatives.some((one) => deceivedAt(one, side, flags));
    case "Alternative": {
      const elements = side === "left" ? node.elements : node.elements.toReversed();
      for (const element of elements) {
        if (deceivedAt(element, side, flags)) return true;
        if (!mayBeEmpty(element)) return false;
      }
      return false;
    }
    default:
      return true;
  }
}

function mayBeEmpty(node: AST.Node): boolean {
  switch (node.type) {
    case "Assertion":
      return true;
    case "Quantifier":
      return node.min === 0 || mayBeEmpty(node.element);
    case "Group":
    case "CapturingGroup":
      return node.alternatives.some(mayBeEmpty);
    case "Alternative":
      return node.elements.every(mayBeEmpty);
    default:
      return false;
  }
}

/** @returns the same expression as it can stand between slashes, in one line that shows all of it. */
function printable(source: string, unicode: boolean): string {
  const escaped = (character: string) => {
    const point = character.codePointAt(0)!;
    if (point <= 0xff) return `\\x${point.toString(16).padStart(2, "0")}`;
    if (point <= 0xffff) return `\\u${point.toString(16).padStart(4, "0")}`;
    return unicode ? `\\u{${point.toString(16)}}` : character;
  };
  let inClass = false;
  return source.replace(/\\?[^]/gu, (piece) => {
    if (piece.length > 1 && piece[0] === "\\") {
      const character = piece.slice(1);
      return /\p{C}/u.test(character) || /[\u2028\u2029]/.test(character)
        ? escaped(character)
        : piece;
    }
    if (piece === "[") inClass = true;
    else if (piece === "]") inClass = false;
    else if (piece === "/" && !inClass) return "\\/";
    return /[\p{C}\u2028\u2029]/u.test(piece) ? escaped(piece) : piece;
  });
}
