import { assert, assertEquals, assertThrows } from "@std/assert";
import { Exit, VeiError } from "../base/errors.ts";
import { USUAL_LIMITS } from "./policy.ts";
import { readPolicy } from "./policy_text.ts";

const HEAD = 'name = "x"\nversion = "1"\ndescription = "d"\n';
const RULE = '[[forbid]]\nid = "a"\nwords = ["w"]\n';
const rule = (more: string) => `${HEAD}[[forbid]]\nid = "a"\n${more}\n`;
const required = (more: string) => `${HEAD}[[require]]\nid = "a"\n${more}\n`;
const limits = (more: string) => `${HEAD}[limits]\n${more}\n${RULE}`;
const example = (more: string) => `${HEAD}${RULE}[[example]]\n${more}\n`;
const read = (text: string) => readPolicy(text, "x.toml");

Deno.test("a small policy is read, with what holds where it says nothing", () => {
  assertEquals(read(HEAD + RULE), {
    name: "x",
    version: "1",
    description: "d",
    limits: USUAL_LIMITS,
    forbid: [{
      id: "a",
      description: "",
      match: { kind: "words", words: ["w"], wholeWords: false },
      ignoreCase: false,
      appliesTo: ["output"],
      within: null,
    }],
    require: [],
    examples: [],
  });
});

Deno.test("every key is read", () => {
  const policy = read(`${HEAD}
[limits]
max_bytes = 65_536
max_time = "5 min"
charset = "ascii"
max_hold = "2 MiB"
[[forbid]]
id = "words.1"
description = "two words"
words = ["one", "zwei"]
whole_words = true
ignore_case = true
applies_to = ["output", "input"]
within = 512
[[forbid]]
id = "expression"
regex = '\\bhate\\b'
ignore_case = true
[[require]]
id = "0-json"
description = "JSON"
json = { max_depth = 8 }
[[require]]
id = "digits"
regex = '[0-9]+'
[[example]]
text = "ö hate"
verdict = "violation"
rule = "expression"
at = 7
[[example]]
text = ""
verdict = "pass"
applies_to = "input"
`);
  assertEquals(policy.limits, {
    maxBytes: 65536,
    maxTimeMs: 300_000,
    charset: "ascii",
    maxHold: 2 ** 21,
  });
  const [words, expression] = policy.forbid;
  assertEquals(words, {
    id: "words.1",
    description: "two words",
    match: { kind: "words", words: ["one", "zwei"], wholeWords: true },
    ignoreCase: true,
    appliesTo: ["input", "output"],
    within: 512,
  });
  if (expression.match.kind !== "regex") throw new Error(expression.match.kind);
  const flags = { ignoreCase: true, multiline: false, dotAll: false, unicode: true };
  assertEquals([expression.match.regex.source, expression.match.regex.flags], [
    "\\bhate\\b",
    flags,
  ]);
  const [json, digits] = policy.require;
  assertEquals(json.what, { kind: "json", maxDepth: 8 });
  assertEquals([json.id, json.description, json.ignoreCase], ["0-json", "JSON", false]);
  assertEquals(digits.what.kind === "regex" && digits.what.regex.flags.ignoreCase, false);
  assertEquals(policy.examples, [
    {
      text: "ö hate",
      verdict: "violation",
      rule: "expression",
      at: 7,
      appliesTo: "output",
      line: 29,
    },
    { text: "", verdict: "pass", rule: null, at: null, appliesTo: "input", line: 34 },
  ]);
});

Deno.test("a policy without rules is one that says so", () => {
  const open = read(`${HEAD}allow_everything = true\n[limits]\ncharset = "bytes"\nmax_bytes = 9`);
  assertEquals([open.forbid, open.require, open.limits.charset], [[], [], "bytes"]);
  assertEquals(read(`${HEAD}[limits]\ncharset = "printable"`).limits.charset, "printable");
});

Deno.test("what may be held back: a number, a size or all", () => {
  assertEquals(read(limits("max_hold = 0")).limits.maxHold, 0);
  assertEquals(read(limits('max_hold = "3 B"')).limits.maxHold, 3);
  assertEquals(read(limits('max_hold = "all"\nmax_bytes = 9')).limits.maxHold, "all");
});

Deno.test("a long file is read in a time that grows with its length only", () => {
  const one = '[[example]]\ntext = "x"\nverdict = "pass"\n';
  const { examples } = read(HEAD + RULE + one.repeat(25_000));
  assertEquals([examples.length, examples[24_999].line], [25_000, 7 + 3 * 24_999]);
});

const CONTROL = '"a\\u001b[2J"';

/** Text, beginning of the message behind `x.toml:`, and a part of the hint. */
const WRONG: [text: string, message: string, hint: string][] = [
  ["", "1:1: the file is empty", "name ="],
  [" \n\n", "1:1: the file is empty", "name ="],
  ["name =", "1:7: Invalid TOML", "mend"],
  [`${HEAD}name = "y"`, "4:1: Invalid TOML", "mend"],
  ["x".repeat(2 ** 20 + 1), "1:1: the file is too long", "at most"],
  ["# nothing\n", "2:1: the key name of the policy is missing", "add: name ="],
  ['name = "x"\ndescription = "d"\n', "3:1: the key version", "add: version ="],
  ['name = "x"\nversion = "1"\n', "3:1: the key description", "add: description ="],
  [HEAD, "1:1: the policy has no rules", "allow_everything = true"],
  [`${HEAD}[limits]\nmax_bytes = 1`, "1:1: the policy has no rules", "[[forbid]]"],
  [`${HEAD}forbid = []`, "1:1: the policy has no rules", "[[forbid]]"],
  [`${HEAD}allow_everything = true\n${RULE}`, "4:1: allow_everything in a policy", "take out"],
  [`${HEAD}allow_everything = false\n${RULE}`, "4:20: allow_everything is true", "= true"],
  [`${HEAD}allow_everything = "yes"\n${RULE}`, "4:20: allow_everything must be", "= true"],
  [HEAD.replace('"x"', '"../x"') + RULE, '1:8: "../x" cannot be the name', "lower-case"],
  [HEAD.replace('"x"', "3") + RULE, "1:8: name must be a text", 'name = "'],
  [HEAD.replace('"1"', "1") + RULE, "2:11: version must be a text", 'version = "1"'],
  [HEAD.replace('"1"', '""') + RULE, '2:11: "" cannot be the version', "1 to 64"],
  [HEAD.replace('"1"', CONTROL) + RULE, '2:11: "a\\u001b[2J" cannot be the version', "64"],
  [HEAD.replace('"d"', '" "') + RULE, "3:15: description must not be empty", "write it like"],
  [HEAD.replace('"d"', CONTROL) + RULE, "3:15: description holds a control", "terminal"],
  // Unknown keys, in every table.
  [`warn_only = true\n${HEAD}${RULE}`, "1:1: unknown key warn_only", "keys of the policy: name"],
  [`${HEAD}limit = 1\n${RULE}`, "4:1: unknown key limit", "did you mean limits?"],
  [`${HEAD}"\\u001b" = 1\n${RULE}`, "4:1: unknown key \\x1b", "keys of the policy"],
  [`${HEAD}[forbids]\n${RULE}`, "4:2: unknown key forbids", "did you mean forbid?"],
  [limits("max_byte = 1"), "5:1: unknown key max_byte", "did you mean max_bytes?"],
  [rule('words = ["w"]\n  action = "warn"'), "7:3: unknown key action", "keys of [[forbid]]"],
  [rule('words = ["w"]\nignorecase = true'), "7:1: unknown key ignorecase", "ignore_case?"],
  [required('words = ["w"]'), "6:1: unknown key words", "keys of [[require]]: id"],
  [required("json = { depth = 1 }"), "6:10: unknown key depth", "keys of json: max_depth"],
  [example('text = "w"\nverdict = "pass"\nrules = "a"'), "10:1: unknown key rules", "rule?"],
  // Limits.
  [`${HEAD}limits = 3\n${RULE}`, "4:10: limits must be a table", "[limits]"],
  [`${HEAD}[[limits]]\n${RULE}`, "4:1: limits must be a table", "[limits]"],
  [limits("max_bytes = 0"), "5:13: max_bytes must be a whole number from 1", "65536"],
  [limits("max_bytes = 1.0"), "5:13: max_bytes must be a whole number", "65536"],
  [limits('max_bytes = "1 KiB"'), "5:13: max_bytes must be a whole number", "65536"],
  [limits("max_bytes = 9007199254740993"), "5:13: max_bytes must be a whole", "65536"],
  [limits('max_time = "soon"'), '5:12: max_time cannot be "soon"', "5 min"],
  [limits('max_time = "0 s"'), "5:12: max_time must be more", "5 min"],
  [limits("max_time = 3"), "5:12: max_time must be a text", "5 min"],
  [limits('charset = "utf8"'), '5:11: unknown charset "utf8"', "did you mean utf-8?"],
  [limits('charset = "latin-1"'), "5:11: unknown charset", '"utf-8", "ascii"'],
  [limits('max_hold = "all"'), '5:12: max_hold = "all" needs max_bytes', "max_bytes ="],
  [limits('max_hold = "some"'), '5:12: max_hold cannot be "some"', "64 KiB"],
  [limits('max_hold = "2 GiB"'), "5:12: max_hold must be at most 1073741824", "64 KiB"],
  [limits("max_hold = -1"), "5:12: max_hold must be a whole number from 0", "64 KiB"],
  // Rules.
  [`${HEAD}[forbid]\nid = "a"\nwords = ["w"]`, "4:2: forbid must be a list of tables", "[["],
  [`${HEAD}forbid = ["w"]`, "4:11: [[forbid]] must be a table", "[[forbid]]"],
  [`${HEAD}forbid = [ { id = "a", wrods = [] } ]`, "4:24: unknown key wrods", "words?"],
  [`${HEAD}[[forbid]]\nwords = ["w"]`, "4:1: the key id of [[forbid]] is missing", "add: id"],
  [rule("").replace('"a"', '"A b"') + 'words = ["w"]', '5:6: "A b" cannot be the id', "letters"],
  [rule("").replace('"a"', '"limit:x"'), "5:6: ids that begin with limit:", "letters"],
  [rule('words = ["w"]') + RULE, "8:6: two rules have the id a", "line 4 has it"],
  [
    `${rule('words = ["w"]')}[[require]]\nid = "a"\nregex = "w"`,
    "8:6: two rules have the id a",
    "line 4",
  ],
  [rule(""), "4:1: [[forbid]] has neither regex nor words", "add: regex ="],
  [required(""), "4:1: [[require]] has neither json nor regex", "add: json ="],
  [rule("words = [\"w\"]\nregex = 'w'"), "6:1: a rule has either regex or words", "two rules"],
  [required("json = {max_depth=1}\nregex = 'w'"), "7:1: a rule has either json", "two rules"],
  [rule("words = []"), "6:9: words must not be empty", 'words = ["'],
  [rule('words = "w"'), "6:9: words must be a list", 'words = ["'],
  [rule('words = ["w",\n  "", "v"]'), "7:3: words must hold texts, none of them empty", "words ="],
  [rule('words = ["w", 3]'), "6:15: words must hold texts", "words ="],
  [rule('words = ["w"]\nwhole_words = 1'), "7:15: whole_words must be true or false", "= true"],
  [rule("regex = 'w'\nwhole_words = true"), "7:1: whole_words goes with words", "\\b"],
  [rule('words = ["w"]\nignore_case = "no"'), "7:15: ignore_case must be", "= true"],
  [rule('words = ["w"]\napplies_to = "input"'), "7:14: applies_to must be a list", "= ["],
  [rule('words = ["w"]\napplies_to = []'), "7:14: applies_to must not be empty", "= ["],
  [rule('words = ["w"]\napplies_to = ["input", "in"]'), '7:24: applies_to cannot hold "in"', "= ["],
  [rule('words = ["w"]\napplies_to = ["outptu"]'), "7:15: applies_to cannot", "mean output?"],
  [rule('words = ["w"]\napplies_to = ["input", "input"]'), "7:14: applies_to names", "= ["],
  [rule('words = ["w"]\nwithin = 0'), "7:10: within must be a whole number from 1", "512"],
  [required("json = { max_depth = 1001 }"), "6:22: max_depth must be a whole number", "8"],
  [required("json = {}"), "6:1: the key max_depth of json is missing", "max_depth = 8"],
  [required("json = true"), "6:8: json must be a table", "max_depth = 8"],
  [
    required("json = {max_depth=1}\nignore_case = true"),
    "7:1: ignore_case goes with regex",
    "JSON",
  ],
  [required("regex = 'w'\nwithin = 3"), "7:1: unknown key within", "keys of [[require]]"],
  // Expressions: the place is the character's own, whatever the quotes.
  [rule("regex = ''"), "6:9: regex must not be empty", "everywhere"],
  [rule("regex = 'a(b'"), "6:12: unterminated group", "parenthesis"],
  [rule("regex = 'a(?=b)'"), "6:11: the look-ahead (?=b) is refused", "a second rule"],
  [rule("regex = 'a(?<!b)'"), "6:11: the look-behind (?<!b) is refused", "a second rule"],
  [rule("regex = '(a)\\1'"), "6:13: the back-reference \\1 is refused", "automaton"],
  [rule('regex = "\\\\d(a)\\\\1"'), "6:16: the back-reference \\1", "automaton"],
  [rule('regex = "\\u00e9(?=b)"'), "6:16: the look-ahead", "second rule"],
  [rule("regex = '''\na|\n(?=b)'''"), "8:1: the look-ahead", "second rule"],
  [rule('regex = """\\\n   a\\\n  (?=b)"""'), "8:3: the look-ahead", "second rule"],
  [rule("regex = '(?i:a)'"), "6:10: i: within a group is refused", "both letters"],
  [rule("regex = '[z-a]'"), "6:13: range out of order", "smaller"],
  [rule("regex = '\\-'"), "6:10: invalid escape", "backslash"],
  [rule("regex = 3"), "6:9: regex must be a text", "regex ="],
  [rule(`regex = '${"a".repeat(65_537)}'`), "6:9: regex is too long", "at most"],
  [required("regex = 'a*?+'"), "6:13: nothing to repeat", "before it"],
  // Examples.
  [example('verdict = "pass"'), "7:1: the key text of [[example]] is missing", "add: text"],
  [example('text = "w"'), "7:1: the key verdict of [[example]] is missing", "add: verdict"],
  [example('text = "w"\nverdict = "deny"'), '9:11: unknown verdict "deny"', '"violation"'],
  [example('text = "w"\nverdict = "pass"\nat = 0'), "10:1: at in an example that passes", "out"],
  [example('text = "w"\nverdict = "pass"\nrule = "a"'), "10:1: rule in an example", "out"],
  [example('text = "ö"\nverdict = "violation"\nat = 3'), "10:6: at must be a whole", "12"],
  [example('text = "w"\nverdict = "violation"\nrule = "b"'), '10:8: there is no rule "b"', "a"],
  [
    example('text = "w"\nverdict = "violation"\nrule = "limit:max_bytes"'),
    '10:8: there is no rule "limit:max_bytes"',
    "ids: a, limit:charset",
  ],
  [
    example('text = "w"\nverdict = "violation"\nrule = "a"\napplies_to = "input"'),
    "10:8: the rule a does not apply to input",
    "it applies to output",
  ],
];

Deno.test("what is wrong is refused with its line, its column and a hint", () => {
  for (const [text, message, hint] of WRONG) {
    const error = assertThrows(() => read(text), VeiError, undefined, text) as VeiError;
    assert(error.message.startsWith(`x.toml:${message}`), `${error.message}\nnot ${message}`);
    assert(error.hint.includes(hint), `${error.message}: ${error.hint}\nlacks ${hint}`);
    assertEquals([error.code, error.exit], ["policy-invalid", Exit.config]);
  }
});
