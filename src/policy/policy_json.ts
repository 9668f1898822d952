/**
 * A JSON list of rules, `[{"id", "type": "deny_regex", "pattern", "description"}]`: a form that
 * other gates have, which is read as a policy of `[[forbid]]` rules on the output.
 */
import { Fields, policyInvalid } from "./fields.ts";
import { JsonProblem, parseJson } from "./json_spots.ts";
import { type ForbidRule, type Policy, USUAL_LIMITS } from "./policy.ts";
import { positioned, refuseTwins } from "./policy_rules.ts";
import { readRegex, type Regex, RegexError } from "./regex.ts";
import type { Source } from "./source.ts";
import { spot } from "./spots.ts";

const KEYS = {
  id: '"id": "a-name"',
  type: '"type": "deny_regex"',
  pattern: '"pattern": "\\\\bhate\\\\b"',
  description: '"description": "what the rule is for"',
};

/** The prefix by which other dialects ask to ignore case. */
const IGNORE_CASE = "(?i)";

/** @returns whether the text is a JSON list, and not TOML: no TOML begins like this. */
export function isJsonList(text: string): boolean {
  return /^\ufeff?\s*(\[\s*[\]{]|\{)/.test(text);
}

/** @throws VeiError `policy-invalid` with file, line, column, what is wrong and a hint. */
export function readJsonPolicy(file: Source): Policy {
  const { value, where } = jsonOf(file);
  if (!Array.isArray(value)) {
    throw policyInvalid(file, 0, "the rules must be a list", `[{ ${Object.values(KEYS)[0]}, … }]`);
  }
  if (value.length === 0) {
    const hint = `a policy that forbids nothing is TOML that says allow_everything = true`;
    throw policyInvalid(file, where.at, "the list of rules is empty", hint);
  }
  const list = spot(where.key, where.at);
  list.keys.set("rules", where);
  const tables = new Fields(file, "the list", { rules: value }, list, { rules: "[…]" })
    .tables("rules", KEYS, "a rule");
  const forbid = tables.map(readRule);
  refuseTwins(tables, forbid);
  return {
    name: nameOf(file.path),
    version: "unversioned",
    description: `${forbid.length} ${forbid.length === 1 ? "rule" : "rules"} from a JSON list`,
    limits: USUAL_LIMITS,
    forbid,
    require: [],
    examples: [],
  };
}

function jsonOf(file: Source) {
  try {
    return parseJson(file.text);
  } catch (cause) {
    if (!(cause instanceof JsonProblem)) throw cause;
    throw policyInvalid(file, cause.offset, cause.message, "mend the JSON syntax there");
  }
}

function readRule(table: Fields): ForbidRule {
  table.demand("type");
  const hint = "the one type there is: deny_regex";
  if (table.text("type") !== "deny_regex") {
    throw table.wrongValue("type", `unknown type ${JSON.stringify(table.text("type"))}`, hint);
  }
  const form = "1 to 64 letters, digits, - _ and ., beginning with a letter or a digit";
  const id = table.named("id", /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, form);
  const pattern = table.text("pattern");
  const ignoreCase = pattern.startsWith(IGNORE_CASE);
  const skipped = ignoreCase ? IGNORE_CASE.length : 0;
  const regex = positioned(
    table,
    "pattern",
    (text) => readEither(text.slice(skipped), ignoreCase ? "i" : ""),
    skipped,
  );
  return {
    id,
    description: hasText(table, "description") ? table.prose("description") : "",
    match: { kind: "regex", regex },
    ignoreCase,
    appliesTo: ["output"],
    within: null,
  };
}

function hasText(table: Fields, key: string): boolean {
  return table.has(key) && table.text(key).trim() !== "";
}

/** @returns the expression with flag `u`, or where it takes that amiss, such as `\-`, without. */
function readEither(source: string, flags: string): Regex {
  try {
    return readRegex(source, `${flags}u`);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    return readRegex(source, flags);
  }
}

/** @returns the file's own name, made a policy's. */
function nameOf(path: string): string {
  const base = path.split("/").at(-1)!.replace(/\.[^.]*$/, "").toLowerCase();
  const name = base.replace(/[^a-z0-9_-]+/g, "-").replace(/^[^a-z]+/, "").slice(0, 32);
  return name === "" ? "rules" : name;
}
