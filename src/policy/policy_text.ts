/** A policy's file: TOML, or a JSON list of expressions that are denied. */
import { parse, TomlError } from "smol-toml";
import { parseDuration, parseSize } from "../base/bytes.ts";
import { Fields, policyInvalid } from "./fields.ts";
import { didYouMean } from "./nearest.ts";
import {
  CHARSETS,
  type Direction,
  DIRECTIONS,
  type Example,
  type ForbidRule,
  LIMIT_IDS,
  type Limits,
  type Policy,
  type RequireRule,
  USUAL_LIMITS,
} from "./policy.ts";
import { parseJson } from "./json_spots.ts";
import { isJsonList, readJsonPolicy } from "./policy_json.ts";
import { FORBID_KEYS, readForbid, readRequire, refuseTwins, REQUIRE_KEYS } from "./policy_rules.ts";
import { type Place, type Source, wholeFile } from "./source.ts";
import { tomlSpots } from "./toml_spots.ts";

/** A longer file is a mistake. UTF-16 code units. */
const MOST_TEXT = 2 ** 20;

/** Lists and inline tables within each other; no policy needs three. */
const MOST_NESTING = 20;

/** No policy may ask for more bytes to be held back, but all of an answer. */
const MOST_HOLD = 2 ** 30;

const KEYS = {
  name: 'name = "no-swearing"',
  version: 'version = "1"',
  description: 'description = "what the policy forbids"',
  allow_everything: "allow_everything = true",
  limits: "[limits]",
  forbid: "[[forbid]]",
  require: "[[require]]",
  example: "[[example]]",
};

const LIMITS = {
  max_bytes: "max_bytes = 65536",
  max_time: 'max_time = "5 min"',
  charset: 'charset = "utf-8"',
  max_hold: 'max_hold = "64 KiB", or "all" together with max_bytes',
};

const EXAMPLE = {
  text: 'text = "some text"',
  verdict: 'verdict = "violation"',
  rule: 'rule = "the-rule"',
  at: "at = 12",
  applies_to: 'applies_to = "input"',
};

/**
 * @param text the file's content.
 * @param file its path, named in errors; the name of a policy that is a JSON list comes from it.
 * @returns the policy, every value of which is of its form.
 * @throws VeiError `policy-invalid` with file, line, column, what is wrong and a hint.
 */
export function readPolicy(text: string, file: string): Policy {
  const source = wholeFile(text, file);
  if (text.length > MOST_TEXT) {
    throw policyInvalid(source, 0, "the file is too long", `at most ${MOST_TEXT} characters`);
  }
  if (text.trim() === "") {
    const hint = `begin with ${KEYS.name}; the policy that forbids nothing says so`;
    throw policyInvalid(source, 0, "the file is empty: that is no policy", hint);
  }
  return isJsonList(text) ? readJsonPolicy(source) : readTomlPolicy(source);
}

/**
 * @param text of a policy that could be read; `index` counts its rules of that kind.
 * @returns where the rule begins; null where the place cannot be followed.
 */
export function placeOfRule(
  text: string,
  kind: "forbid" | "require",
  index: number,
): Place | null {
  const list = isJsonList(text) ? parseJson(text).where : tomlSpots(text).keys.get(kind);
  const item = list?.items[index];
  return item === undefined ? null : wholeFile(text, "").place(item.key);
}

function readTomlPolicy(source: Source): Policy {
  const top = new Fields(source, "the policy", tomlOf(source), tomlSpots(source.text), KEYS);
  const name = top.named(
    "name",
    /^[a-z][a-z0-9_-]{0,31}$/,
    "1 to 32 lower-case letters, digits, - and _, beginning with a letter",
  );
  const version = top.named(
    "version",
    /^[^\s\p{C}][^\p{C}]{0,63}$/u,
    'a text of 1 to 64 characters, such as "1"',
  );
  const description = top.prose("description");
  const limits = readLimits(top);
  const forbidTables = top.tables("forbid", FORBID_KEYS);
  const requireTables = top.tables("require", REQUIRE_KEYS);
  const forbid = forbidTables.map(readForbid);
  const require = requireTables.map(readRequire);
  refuseTwins([...forbidTables, ...requireTables], [...forbid, ...require]);
  refuseRuleless(top, forbid.length + require.length, limits);
  const judges = judgesOf(forbid, require, limits);
  const examples = top.tables("example", EXAMPLE).map((table) => readExample(table, judges));
  return { name, version, description, limits, forbid, require, examples };
}

function tomlOf(source: Source): Record<string, unknown> {
  try {
    return parse(source.text, { integersAsBigInt: true, maxDepth: MOST_NESTING });
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const at = { ...source, place: () => ({ line: cause.line, column: cause.column }) };
    throw policyInvalid(at, 0, cause.message.split("\n")[0], "mend the TOML syntax there");
  }
}

function readLimits(top: Fields): Limits {
  const table = top.table("limits", "[limits]", LIMITS);
  if (table === null) return USUAL_LIMITS;
  const maxBytes = table.integer("max_bytes", 1, Number.MAX_SAFE_INTEGER);
  const maxTimeMs = table.has("max_time") ? table.parsed("max_time", parseDuration) : null;
  if (maxTimeMs === 0) {
    throw table.wrongValue("max_time", "max_time must be more than nothing");
  }
  const maxHold = readHold(table);
  if (maxHold === "all" && maxBytes === null) {
    const hint = `without it there is no end to what would be held back: ${LIMITS.max_bytes}`;
    throw table.wrongValue("max_hold", 'max_hold = "all" needs max_bytes', hint);
  }
  return { maxBytes, maxTimeMs, charset: table.oneOf("charset", CHARSETS), maxHold };
}

function readHold(table: Fields): number | "all" {
  if (!table.has("max_hold")) return USUAL_LIMITS.maxHold;
  if (!table.isText("max_hold")) return table.integer("max_hold", 0, MOST_HOLD)!;
  if (table.text("max_hold") === "all") return "all";
  const bytes = table.parsed("max_hold", parseSize);
  if (bytes <= MOST_HOLD) return bytes;
  throw table.wrongValue("max_hold", `max_hold must be at most ${MOST_HOLD} bytes`);
}

/** @throws VeiError unless there is a rule, or the file says that there is none. */
function refuseRuleless(top: Fields, rules: number, { charset }: Limits): void {
  const judges = rules > 0 || charset === "ascii" || charset === "printable";
  const says = top.flag("allow_everything");
  if (says && judges) {
    const hint = "take out the line, or the rules (charset ascii and printable are rules too)";
    throw top.wrong("allow_everything", "allow_everything in a policy that has rules", hint);
  }
  if (!says && !judges) {
    const hint = `add a [[forbid]] or a [[require]]; or say ${KEYS.allow_everything}`;
    throw top.fault("the policy has no rules", hint);
  }
  if (top.has("allow_everything") && !says) {
    throw top.wrongValue("allow_everything", "allow_everything is true or not there at all");
  }
}

/** @returns what each id that a verdict may name applies to. */
function judgesOf(
  forbid: readonly ForbidRule[],
  require: readonly RequireRule[],
  { maxBytes }: Limits,
): Map<string, readonly Direction[]> {
  const output = [
    ...require.map(({ id }) => id),
    ...LIMIT_IDS.filter((id) => id !== "limit:max_bytes" || maxBytes !== null),
  ];
  return new Map([
    ...forbid.map(({ id, appliesTo }) => [id, appliesTo] as const),
    ...output.map((id) => [id, ["output"]] as const),
  ]);
}

function readExample(table: Fields, judges: Map<string, readonly Direction[]>): Example {
  const text = table.text("text");
  table.demand("verdict");
  const verdict = table.oneOf("verdict", ["pass", "violation"]);
  const appliesTo = table.has("applies_to") ? table.oneOf("applies_to", DIRECTIONS) : "output";
  if (verdict === "pass") {
    for (const key of ["rule", "at"]) {
      if (!table.has(key)) continue;
      throw table.wrong(key, `${key} in an example that passes`, "leave it out: nothing decides");
    }
  }
  const at = table.integer("at", 0, new TextEncoder().encode(text).length);
  const rule = table.has("rule") ? table.text("rule") : null;
  if (rule !== null) {
    const directions = judges.get(rule);
    if (directions === undefined) {
      const ids = [...judges.keys()];
      const hint = didYouMean(rule, ids, `ids: ${ids.slice(0, 20).join(", ")}`);
      throw table.wrongValue("rule", `there is no rule ${JSON.stringify(rule)}`, hint);
    }
    if (!directions.includes(appliesTo)) {
      const hint = `it applies to ${directions.join(" and ")}: say so with applies_to`;
      throw table.wrongValue("rule", `the rule ${rule} does not apply to ${appliesTo}`, hint);
    }
  }
  return { text, verdict, rule, at, appliesTo, line: table.line };
}
