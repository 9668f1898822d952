/**
 * The regular expressions that `matches` understands: JavaScript's, without what no automaton can
 * do. This file only reads them; what they match is worked out in `src/automaton`.
 */
import { type AST, RegExpParser, RegExpSyntaxError } from "@eslint-community/regexpp";

export type { AST } from "@eslint-community/regexpp";

/** An expression that was understood. Offsets in the tree count UTF-16 code units of `source`. */
export interface Regex {
  readonly source: string;
  readonly flags: RegexFlags;
  readonly pattern: AST.Pattern;
}

/** Flags i, m, s and u. */
export interface RegexFlags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly unicode: boolean;
}

/** Thrown by `readRegex`. `offset` is in the source, or in the flags when `inFlags`. */
export class RegexError extends Error {
  override name = "RegexError";
  constructor(
    message: string,
    readonly hint: string,
    readonly offset: number,
    readonly inFlags = false,
  ) {
    super(message);
  }
}

/** Parentheses within parentheses; it keeps a hostile expression from filling the stack. */
const MOST_NESTING = 200;

const REFUSED_FLAGS: Record<string, string> = {
  g: "g asks for every match; whether there is one needs no flag: leave it out",
  y: "y asks for a match at a remembered place: leave it out, and begin with ^",
  d: "d asks where groups matched; only whether there is a match counts: leave it out",
  v: "v (set notation) is not understood: use u",
};
const FLAGS = "flags are i (ignore case), m (lines), s (dot is any character), u (Unicode)";

/**
 * @returns the expression's syntax tree.
 * @throws RegexError for anything that is not understood, with its place.
 */
export function readRegex(source: string, flags: string): Regex {
  [...flags].forEach((flag, i) => {
    if (flags.indexOf(flag) < i) throw new RegexError(`flag ${flag} twice`, FLAGS, i, true);
    if (!"imsu".includes(flag)) {
      throw new RegexError(`flag ${flag} is refused`, REFUSED_FLAGS[flag] ?? FLAGS, i, true);
    }
  });
  refuseDeepNesting(source);
  const unicode = flags.includes("u");
  const pattern = parse(source, unicode);
  refuseIrregular(pattern);
  try {
    // The parser may know properties of a newer Unicode than the one whose tables are at hand.
    new RegExp(source, flags);
  } catch (error) {
    const hint = "JavaScript's own RegExp does not accept it";
    throw new RegexError(said(error as Error), hint, 0);
  }
  return {
    source,
    flags: {
      ignoreCase: flags.includes("i"),
      multiline: flags.includes("m"),
      dotAll: flags.includes("s"),
      unicode,
    },
    pattern,
  };
}

function parse(source: string, unicode: boolean): AST.Pattern {
  const parser = new RegExpParser({ ecmaVersion: 2025 });
  try {
    return parser.parsePattern(source, 0, source.length, { unicode, unicodeSets: false });
  } catch (error) {
    if (!(error instanceof RegExpSyntaxError)) throw error;
    const what = said(error);
    throw new RegexError(what, hintFor(what), Math.max(0, error.index - 1));
  }
}

/** @returns the message without the expression that it repeats, beginning in lower case. */
function said(error: Error): string {
  const what = error.message.replace(/^Invalid regular expression: [^]*: (?=[^:]*$)/, "");
  return what.slice(0, 1).toLowerCase() + what.slice(1);
}

function hintFor(what: string): string {
  const hints: [RegExp, string][] = [
    [/nothing to repeat/, "put what is repeated before it, or a backslash to mean the character"],
    [/unterminated group/, "close the parenthesis with )"],
    [/unmatched '\)'/, "open the parenthesis with (, or write \\)"],
    [/unterminated character class/, "close the class with ]"],
    [/out of order/, "put the smaller one first"],
    [/lone quantifier/, "write a backslash before { } or ] to mean the character"],
    [/property name/, "such as \\p{L}, \\p{Lu} or \\p{Script=Greek}"],
    [/escape/, "with flag u a backslash stands only before what has a meaning"],
    [/group/, "groups are ( ), (?: ) and (?<name> )"],
  ];
  return hints.find(([pattern]) => pattern.test(what))?.[1] ??
    "expressions are written as in JavaScript";
}

function refuseDeepNesting(source: string): void {
  let depth = 0;
  for (const { 0: piece, index } of source.matchAll(/\\[^]|\[(?:\\[^]|[^\]\\])*\]?|[()]/g)) {
    if (piece === ")") depth--;
    if (piece === "(" && ++depth > MOST_NESTING) {
      throw new RegexError("nested too deeply", `at most ${MOST_NESTING} levels`, index);
    }
  }
}

/** @throws RegexError for the first part that is no regular language's, or an enormous one's. */
function refuseIrregular(node: AST.Node): void {
  switch (node.type) {
    case "Backreference": {
      const hint = "no automaton remembers what a group matched: write both possibilities out";
      throw new RegexError(`the back-reference ${node.raw} is refused`, hint, node.start);
    }
    case "Assertion":
      if (node.kind === "lookahead" || node.kind === "lookbehind") {
        const what = node.kind === "lookahead" ? "look-ahead" : "look-behind";
        const hint =
          "write a second predicate (… and not matches /…/), or in a policy a second rule";
        throw new RegexError(`the ${what} ${node.raw} is refused`, hint, node.start);
      }
      return;
    case "Group":
      if (node.modifiers) {
        const hint = "ignore case in the whole expression, or write both letters: [aA]";
        throw new RegexError(`${node.modifiers.raw}: within a group is refused`, hint, node.start);
      }
      return node.alternatives.forEach(refuseIrregular);
    case "Pattern":
    case "CapturingGroup":
      return node.alternatives.forEach(refuseIrregular);
    case "Alternative":
      return node.elements.forEach(refuseIrregular);
    case "Quantifier":
      return refuseIrregular(node.element);
  }
}
