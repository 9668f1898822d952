/** A policy's file: what the monitor forbids. */
import { parse } from "smol-toml";
import * as v from "valibot";
import { Exit, VeiError } from "../base/errors.ts";
import { tomlProblem } from "../base/toml.ts";

const filled = v.pipe(v.string(), v.nonEmpty("must not be empty"));

const Schema = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(/^[a-z][a-z0-9_-]{0,31}$/, "must be a lower-case name of at most 32 characters"),
  ),
  version: filled,
  description: filled,
  forbid: v.pipe(
    v.array(v.strictObject({
      id: v.pipe(
        v.string(),
        v.regex(
          /^[a-z0-9][a-z0-9_.-]{0,63}$/,
          "must be a lower-case name of at most 64 characters",
        ),
      ),
      words: v.pipe(v.array(filled), v.nonEmpty("must name at least one word")),
      ignore_case: v.optional(v.boolean(), false),
    })),
    v.nonEmpty("must hold at least one rule: a policy that forbids nothing is none"),
  ),
});

/** One rule: none of the words may occur in the content. */
export interface ForbidRule {
  readonly id: string;
  readonly words: readonly string[];
  readonly ignoreCase: boolean;
}

export interface Policy {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly forbid: readonly ForbidRule[];
}

/**
 * @param text a TOML document with the keys `name version description [[forbid]] id words
 * ignore_case`, and no other.
 * @param path named in errors.
 * @throws VeiError `policy-invalid`.
 */
export function parsePolicy(text: string, path: string): Policy {
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (cause) {
    const { where, why } = tomlProblem(cause);
    throw invalid(`${path}${where}: ${why}`, "mend the TOML syntax there", cause);
  }
  const result = v.safeParse(Schema, raw);
  if (!result.success) {
    const issue = result.issues[0];
    const key = (issue.path ?? []).map((item) => String(item.key)).join(".");
    const message = issue.expected === "never" ? "is not a key that a policy has" : issue.message;
    throw invalid(
      `${path}: ${key === "" ? "the file" : key} ${message}`,
      "keys: name, version, description, [[forbid]] with id, words, ignore_case",
    );
  }
  const { name, version, description, forbid } = result.output;
  const ids = forbid.map((rule) => rule.id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) {
    throw invalid(`${path}: two rules have the id ${twice}`, "receipts name a rule by its id");
  }
  return {
    name,
    version,
    description,
    forbid: forbid.map((rule) => ({
      id: rule.id,
      words: rule.words,
      ignoreCase: rule.ignore_case,
    })),
  };
}

function invalid(message: string, hint: string, cause?: unknown): VeiError {
  return new VeiError({ code: "policy-invalid", message, hint, exit: Exit.config, cause });
}
