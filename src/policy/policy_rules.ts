/** The rules of a policy's file: what is forbidden, and what is required. */
import { type Fields, policyInvalid } from "./fields.ts";
import {
  type Direction,
  DIRECTIONS,
  type ForbidRule,
  LIMIT_PREFIX,
  type RequireRule,
} from "./policy.ts";
import { readRegex, type Regex, RegexError } from "./regex.ts";

/** The keys of a `[[forbid]]`, each as it may be written. */
export const FORBID_KEYS = {
  id: 'id = "a-name"',
  description: 'description = "what the rule is for"',
  regex: "regex = '\\bhate\\b'",
  words: 'words = ["hate", "spite"]',
  whole_words: "whole_words = true",
  ignore_case: "ignore_case = true",
  applies_to: 'applies_to = ["input", "output"]',
  within: "within = 512",
};

/** The keys of a `[[require]]`, each as it may be written. */
export const REQUIRE_KEYS = {
  id: 'id = "a-name"',
  description: 'description = "what the rule is for"',
  json: "json = { max_depth = 8 }",
  regex: "regex = '[0-9]{1,9}'",
  ignore_case: "ignore_case = true",
};

const JSON_KEYS = { max_depth: "max_depth = 8" };

/** A longer expression is a mistake. UTF-16 code units. */
const MOST_REGEX = 65_536;

/** Deeper JSON needs more states than anyone has a use for. */
const MOST_DEPTH = 1000;

/** @returns the rule of a `[[forbid]]`. @throws VeiError `policy-invalid`. */
export function readForbid(table: Fields): ForbidRule {
  const { id, description } = readHead(table);
  const ignoreCase = table.flag("ignore_case");
  const kind = oneKind(table, ["regex", "words"]);
  if (kind === "regex" && table.has("whole_words")) {
    const hint = "write \\b at the beginning and at the end of the expression";
    throw table.wrong("whole_words", "whole_words goes with words, not with regex", hint);
  }
  return {
    id,
    description,
    match: kind === "words"
      ? { kind, words: table.texts("words"), wholeWords: table.flag("whole_words") }
      : { kind, regex: regexOf(table, ignoreCase) },
    ignoreCase,
    appliesTo: readDirections(table),
    within: table.integer("within", 1, Number.MAX_SAFE_INTEGER),
  };
}
/** @returns the rule of a `[[require]]`. @throws VeiError `policy-invalid`. */
export function readRequire(table: Fields): RequireRule {
  const { id, description } = readHead(table);
  const ignoreCase = table.flag("ignore_case");
  if (oneKind(table, ["json", "regex"]) === "regex") {
    return {
      id,
      description,
      what: { kind: "regex", regex: regexOf(table, ignoreCase) },
      ignoreCase,
    };
  }
  if (table.has("ignore_case")) {
    const hint = "leave it out: JSON's own words are in lower case";
    throw table.wrong("ignore_case", "ignore_case goes with regex, not with json", hint);
  }
  const json = table.table("json", "json", JSON_KEYS)!;
  json.demand("max_depth");
  const maxDepth = json.integer("max_depth", 0, MOST_DEPTH)!;
  return { id, description, what: { kind: "json", maxDepth }, ignoreCase };
}
/** @throws VeiError where two rules have one id: verdicts and receipts name a rule by it. */
export function refuseTwins(tables: readonly Fields[], rules: readonly { id: string }[]): void {
  const seen = new Map<string, Fields>();
  rules.forEach(({ id }, i) => {
    const twin = seen.get(id);
    if (twin !== undefined) {
      const hint = `line ${twin.line} has it: receipts name a rule by its id`;
      throw tables[i].wrongValue("id", `two rules have the id ${id}`, hint);
    }
    seen.set(id, tables[i]);
  });
}

function readHead(table: Fields): { id: string; description: string } {
  const hint = "1 to 64 lower-case letters, digits, - _ and ., beginning with a letter or a digit";
  if (table.has("id") && table.isText("id") && table.text("id").startsWith(LIMIT_PREFIX)) {
    throw table.wrongValue("id", `ids that begin with ${LIMIT_PREFIX} are the limits' own`, hint);
  }
  return {
    id: table.named("id", /^[a-z0-9][a-z0-9_.-]{0,63}$/, hint),
    description: table.has("description") ? table.prose("description") : "",
  };
}

/** @returns the one of the two keys that is there. */
function oneKind<T extends string>(table: Fields, kinds: readonly [T, T]): T {
  const [first, second] = kinds;
  if (table.has(first) && table.has(second)) {
    const hint = "make two rules of it";
    throw table.wrong(second, `a rule has either ${first} or ${second}, not both`, hint);
  }
  const kind = kinds.find((one) => table.has(one));
  if (kind !== undefined) return kind;
  throw table.fault(
    `${table.what} has neither ${first} nor ${second}`,
    `add: ${table.example(first)}`,
  );
}

function readDirections(table: Fields): readonly Direction[] {
  if (!table.has("applies_to")) return ["output"];
  const found = table.texts("applies_to", DIRECTIONS);
  if (new Set(found).size < found.length) {
    throw table.wrongValue("applies_to", "applies_to names the same twice");
  }
  return DIRECTIONS.filter((one) => found.includes(one));
}

/** @returns the key's expression, read with flag `u`. */
function regexOf(table: Fields, ignoreCase: boolean): Regex {
  return positioned(table, "regex", (text) => readRegex(text, ignoreCase ? "iu" : "u"));
}

/**
 * @param read makes an expression of the text of `key`, and throws RegexError.
 * @param skipped so many characters of the text are not in what RegexError counts.
 * @throws VeiError `policy-invalid` that points at the character that RegexError names.
 */
export function positioned(
  table: Fields,
  key: string,
  read: (text: string) => Regex,
  skipped = 0,
): Regex {
  const source = table.source(key);
  if (source.text.length <= skipped) {
    const hint = "an expression without content matches everywhere";
    throw table.wrongValue(key, `${key} must not be empty`, hint);
  }
  if (source.text.length > MOST_REGEX) {
    throw table.wrongValue(key, `${key} is too long`, `at most ${MOST_REGEX} characters`);
  }
  try {
    return read(source.text);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw policyInvalid(source, skipped + error.offset, error.message, error.hint);
  }
}
