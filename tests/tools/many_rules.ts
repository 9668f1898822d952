/** Policies of many rules: words and expressions as people write them, always the same ones. */
import { readPolicy } from "../../src/policy/policy_text.ts";
import type { MonitorProgram } from "../../src/gate/monitor.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { type Random, seeded } from "../judge/random.ts";

const BEGIN = ["b", "br", "c", "ch", "d", "f", "g", "gr", "h", "k", "l", "m", "n", "p", "pr", "s"];
const MIDDLE = ["a", "e", "i", "o", "u", "ea", "ou", "ai"];
const END = ["n", "r", "st", "t", "x", "nd", "m", "ck", "l", "sh"];

/** @returns a word of two to four syllables, which no English text is likely to have. */
function word(random: Random): string {
  const syllable = () => random.pick(BEGIN) + random.pick(MIDDLE);
  return Array.from({ length: 1 + random.below(3) }, syllable).join("") + syllable() +
    random.pick(END);
}

function expression(random: Random): string {
  const some = () => word(random);
  const letters = () => String.fromCharCode(...[0, 1, 2].map(() => 65 + random.below(26)));
  switch (random.below(8)) {
    case 0:
      return `\\b${letters()}-[0-9]{${3 + random.below(6)}}`;
    case 1:
      return `\\b${some()}\\s{1,4}${some()}\\b`;
    case 2:
      return `${some()}[ _-]?${some()}`;
    case 3:
      return `\\b(?:${some()}|${some()}|${some()}) (?:the |an? )?${some()}`;
    case 4:
      return `${some()}.{0,10}${some()}`;
    case 5:
      return `\\b${some()}_[A-Za-z0-9]{${8 + random.below(24)}}`;
    case 6:
      return `\\b${some()} ?[=:] ?["']?[0-9a-f]{16}`;
    default:
      return `\\b${some()}(?:s|es|ed|ing)?\\b`;
  }
}

/**
 * @returns the text of a policy with a rule of so many words, whole ones and whatever their case,
 * and so many rules of one expression each.
 */
export function manyRules(words: number, expressions: number): string {
  const random = seeded(words * 1000 + expressions);
  const list = new Set<string>();
  while (list.size < words) list.add(word(random));
  const rules = Array.from({ length: expressions }, (_, i) => {
    const source = expression(random);
    const flag = random.once(2) ? "\nignore_case = true" : "";
    return `[[forbid]]\nid = "e${i}"\nregex = '''${source}'''${flag}\n`;
  });
  return [
    'name = "many"\nversion = "1"\ndescription = "many rules"\n',
    `[[forbid]]\nid = "words"\nignore_case = true\nwhole_words = true\n`,
    `words = ${JSON.stringify([...list])}\n`,
    ...rules,
  ].join("");
}

/** @returns such a policy, read. */
export function policyOfMany(words: number, expressions: number): Policy {
  return readPolicy(manyRules(words, expressions), "many.toml");
}

/** @returns a policy's rules as JavaScript's expressions. */
export function expressionsOf({ forbid }: Policy): RegExp[] {
  return forbid.map(({ match, ignoreCase }) => {
    const flags = ignoreCase ? "iu" : "u";
    if (match.kind === "regex") return new RegExp(match.regex.source, flags);
    const edge = match.wholeWords ? "\\b" : "";
    return new RegExp(`${edge}(?:${match.words.join("|")})${edge}`, flags);
  });
}

/** @returns bytes of all tables together. */
export function tableBytes({ automata }: MonitorProgram): number {
  return automata.reduce((sum, automaton) =>
    sum + Object.values(automaton)
      .reduce((bytes: number, one) => bytes + (one?.byteLength ?? 0), 0), 0);
}
