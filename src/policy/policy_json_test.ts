import { assert, assertEquals, assertThrows } from "@std/assert";
import { VeiError } from "../base/errors.ts";
import { USUAL_LIMITS } from "./policy.ts";
import { readPolicy } from "./policy_text.ts";

const entry = (pattern: string, more = "") =>
  `{"id": "a", "type": "deny_regex", "pattern": ${JSON.stringify(pattern)}${more}}`;
const read = (text: string, path = "rules/Reality Only.json") => readPolicy(text, path);

Deno.test("a JSON list of denied expressions is a policy", () => {
  const policy = read(`[
  {"id": "HYPOTHETICAL", "type": "deny_regex", "pattern": "(?i)\\\\bwhat if\\\\b",
   "description": "no hypotheticals"},
  {"id": "b", "type": "deny_regex", "pattern": "a\\\\-b"}
]`);
  assertEquals([policy.name, policy.version], ["reality-only", "unversioned"]);
  assertEquals([policy.limits, policy.require, policy.examples], [USUAL_LIMITS, [], []]);
  const short = policy.forbid.map(({ match, ...rest }) => ({
    ...rest,
    regex: match.kind === "regex" && [match.regex.source, match.regex.flags.unicode],
  }));
  const all = { appliesTo: ["output"], within: null };
  assertEquals(short, [
    {
      id: "HYPOTHETICAL",
      description: "no hypotheticals",
      ignoreCase: true,
      ...all,
      regex: ["\\bwhat if\\b", true],
    },
    // With flag u a backslash before - is a fault: it is read without.
    { id: "b", description: "", ignoreCase: false, ...all, regex: ["a\\-b", false] },
  ]);
  assertEquals(read(`\ufeff[${entry("x")}]`, "7.json").name, "rules");
});

const WRONG: [text: string, message: string, hint: string][] = [
  ["[]", "1:1: the list of rules is empty", "allow_everything"],
  ['{"rules": []}', "1:1: the rules must be a list", "[{"],
  ["[{}]", "1:2: the key type of a rule is missing", '"type": "deny_regex"'],
  ['[{"type": "deny_regex"}]', "1:2: the key id of a rule is missing", '"id"'],
  ['[{"type": "deny_regex", "id": "a"}]', "1:2: the key pattern of", '"pattern"'],
  [`[${entry("x")}, 3]`, "1:53: a rule must be a table", "id, type"],
  [entry("x"), "1:1: the rules must be a list", "[{"],
  [`[\n${entry("x").replace("deny", "warn")}]`, '2:21: unknown type "warn_regex"', "deny_regex"],
  [`[${entry("x", ',\n "flags": "i"')}]`, "2:2: unknown key flags", "keys of"],
  [`[${entry("x").replace('"a"', '"../x"')}]`, '1:9: "../x" cannot be the id', "letters"],
  [`[${entry("x").replace('"a"', "7")}]`, "1:9: id must be a text", '"id"'],
  [`[${entry("x")},\n${entry("x")}]`, "2:8: two rules have the id a", "line 1"],
  [`[${entry("")}]`, "1:47: pattern must not be empty", "everywhere"],
  [`[${entry("x\\d(?=b)")}]`, "1:52: the look-ahead (?=b) is refused", "second rule"],
  [`[${entry("(?i)x(?=b)")}]`, "1:53: the look-ahead (?=b) is refused", "second rule"],
  [`[${entry("(a)\\1")}]`, "1:51: the back-reference \\1 is refused", "automaton"],
  [`[${entry("(?i)")}]`, "1:47: pattern must not be empty", "everywhere"],
  [`[${entry("x").replace('"x"', '"\\ud800"')}]`, "1:47: pattern holds half", "no character"],
  [`[${entry("x")}`, "1:51: expected a comma or ]", "JSON"],
  [`[${entry("x")}] x`, "1:53: more than one value", "JSON"],
  [`[${entry("x").replace('"x"', '"\\x41"')}]`, "1:47: a text with a fault", "JSON"],
  [`[${entry("x").replace('"x"}', '"x')}]`, "1:47: a text without an end", "JSON"],
  [`[${entry("x", ', "id": "b"')}]`, '1:52: the key "id" twice', "JSON"],
  [`[{"id" 1}]`, "1:8: expected a colon", "JSON"],
  [`[{id: 1}]`, "1:3: expected a key in double quotes", "JSON"],
  [`[{"id": }]`, "1:9: expected a value", "JSON"],
  [`[{"id": ${"[".repeat(30)}`, "1:27: nested too deeply", "JSON"],
];

Deno.test("what is wrong in a JSON list is refused with its place and a hint", () => {
  for (const [text, message, hint] of WRONG) {
    const error = assertThrows(() => read(text, "x.json"), VeiError, undefined, text) as VeiError;
    assert(error.message.startsWith(`x.json:${message}`), `${error.message}\nnot ${message}`);
    assert(error.hint.includes(hint), `${error.message}: ${error.hint}\nlacks ${hint}`);
    assertEquals(error.code, "policy-invalid");
  }
});
