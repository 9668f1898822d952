/**
 * The shipped policies keep what they promise. The judge is JavaScript's own RegExp and JSON.parse:
 * it shares nothing with the automata that enforce policies.
 */
import { assert, assertEquals } from "@std/assert";
import { CHARSET_BYTES, type Example, type ForbidRule, type Policy } from "../src/policy/policy.ts";
import { readPolicy } from "../src/policy/policy_text.ts";
import type { AST } from "../src/policy/regex.ts";
import { sourceFiles } from "../tests/style/files.ts";

const FOLDER = new URL("./policies/", import.meta.url);

const policies = [...Deno.readDirSync(FOLDER)].filter(({ name }) => name.endsWith(".toml"))
  .map(({ name }) => {
    const text = Deno.readTextFileSync(new URL(name, FOLDER).pathname);
    return { file: name, text, policy: readPolicy(text, name) };
  });

/** The policy that the page on policies shows. */
const shown = /```toml\n([^]*?)```/.exec(Deno.readTextFileSync(new URL("README.md", FOLDER)))![1];

const secrets = policies.find(({ policy }) => policy.name === "secrets")!;

/** @returns the rule as an expression of JavaScript's. */
function regexOf({ match, ignoreCase }: ForbidRule): RegExp {
  const flags = ignoreCase ? "iu" : "u";
  if (match.kind === "regex") return new RegExp(match.regex.source, flags);
  const words = match.words.map((word) => {
    const literal = word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    if (!match.wholeWords) return literal;
    return (/^\w/.test(word) ? "\\b" : "") + literal + (/\w$/.test(word) ? "\\b" : "");
  });
  return new RegExp(words.join("|"), flags);
}

/** What may follow a prefix: one character of each kind that a rule may ask for at its end. */
const NEXT = ["", "a", "Z", "0", "_", "-", " ", "\n", "/", ":", "é"];

/** @returns the byte after which the text is violating whatever follows; null: it does not. */
function decides(violates: (text: string) => boolean, text: string): number | null {
  let prefix = "";
  for (const character of text) {
    const before = new TextEncoder().encode(prefix).length;
    prefix += character;
    if (NEXT.every((next) => violates(prefix + next))) {
      return before + new TextEncoder().encode(character).length - 1;
    }
  }
  return violates(text) ? new TextEncoder().encode(text).length : null;
}

/** What may complete a JSON text that breaks off, before its brackets are closed. */
const ENDS = ["", "0", "rue", "ue", "e", "ull", "ll", "l", '"']
  .concat(['n"', '0000"', '000"', '00"', '0"'])
  .flatMap((end) => [end, `${end}:0`]).concat(":0", '"":0');

/** @returns whether the text can be continued to JSON of at most this depth. */
function isJsonStart(text: string, maxDepth: number): boolean {
  return ENDS.some((end) => {
    const open: string[] = [];
    let deepest = 0;
    for (const [mark] of (text + end).matchAll(/"(?:\\.|[^"\\])*"|[[\]{}]/g)) {
      if (mark === "[" || mark === "{") open.push(mark === "[" ? "]" : "}");
      else if (mark === "]" || mark === "}") open.pop();
      deepest = Math.max(deepest, open.length);
    }
    return deepest <= maxDepth && isJson(text + end + open.reverse().join(""));
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @returns the first byte at which JSON is out of reach; the length where it is not finished. */
function jsonDecides(text: string, maxDepth: number): number | null {
  for (let i = 1; i <= text.length; i++) {
    if (!isJsonStart(text.slice(0, i), maxDepth)) return i - 1;
  }
  return isJson(text) ? null : text.length;
}

/** @returns the verdict by the first rule that decides: its id and its byte. */
function judge({ forbid, require, limits }: Policy, { text, appliesTo }: Example) {
  const found: [id: string, at: number | null][] = forbid
    .filter((rule) => rule.appliesTo.includes(appliesTo))
    .map((rule) => {
      const at = decides((part) => regexOf(rule).test(part), text);
      return [rule.id, at !== null && at < (rule.within ?? Infinity) ? at : null];
    });
  for (const { id, what } of appliesTo === "output" ? require : []) {
    if (what.kind === "json") found.push([id, jsonDecides(text, what.maxDepth)]);
  }
  if (limits.charset === "printable" || limits.charset === "ascii") {
    const ranges = CHARSET_BYTES[limits.charset];
    const at = new TextEncoder().encode(text)
      .findIndex((byte) => !ranges.some(([first, last]) => byte >= first && byte <= last));
    found.push(["limit:charset", at < 0 ? null : at]);
  }
  const decided = found.filter(([, at]) => at !== null).sort((a, b) => a[1]! - b[1]!);
  return decided.length === 0 ? null : { rule: decided[0][0], at: decided[0][1] };
}

Deno.test("the shipped policies are these, each under its own name", () => {
  assertEquals(policies.map(({ file }) => file).sort(), [
    "hateless.toml",
    "json-only.toml",
    "no-links.toml",
    "open.toml",
    "printable.toml",
    "reality-only.toml",
    "secrets.toml",
  ]);
  for (const { file, policy } of policies) assertEquals(`${policy.name}.toml`, file);
});

Deno.test("every example is judged as it says: rule and byte", () => {
  const page = { file: "README.md", policy: readPolicy(shown, "README.md") };
  for (const { file, policy } of [...policies, page]) {
    for (const example of policy.examples) {
      const { verdict, rule, line } = example;
      const said = judge(policy, example);
      const at = example.at ?? said?.at;
      const expected = verdict === "pass" ? null : { rule, at };
      assertEquals(said, expected, `${file}:${line}: ${example.text}`);
    }
  }
});

Deno.test("every rule has an example that it decides, and every policy one that passes", () => {
  for (const { file, policy } of policies) {
    if (file === "hateless.toml" && policy.examples.length === 0) continue; // the older form
    assert(policy.examples.some(({ verdict }) => verdict === "pass"), file);
    for (const { id } of [...policy.forbid, ...policy.require]) {
      assert(policy.examples.some(({ rule }) => rule === id), `${file}: ${id} has no example`);
    }
  }
});

/** @returns the longest text that an element can match, in characters. */
function longest(node: AST.Element | AST.Pattern | AST.Alternative): number {
  switch (node.type) {
    case "Pattern":
    case "Group":
    case "CapturingGroup":
      return Math.max(...node.alternatives.map(longest));
    case "Alternative":
      return node.elements.reduce((sum, element) => sum + longest(element), 0);
    case "Quantifier":
      return node.max * longest(node.element);
    case "Assertion":
      return 0;
    default:
      return 1;
  }
}

Deno.test("secrets: at least 25 kinds, each with a bounded hold-back", () => {
  const { forbid } = secrets.policy;
  assert(forbid.length >= 25, `${forbid.length}`);
  for (const { id, match } of forbid) {
    const bytes = match.kind === "regex" ? longest(match.regex.pattern) : 0;
    assert(bytes > 0 && bytes <= 128, `${id} may hold ${bytes}`);
  }
});

/** @returns `file: rule: text` of whatever a secret is seen in. */
function alarms(name: string, text: string): string[] {
  return secrets.policy.forbid.flatMap((rule) => {
    const found = regexOf(rule).exec(text);
    return found === null ? [] : [`${name}: ${rule.id}: ${found[0]}`];
  });
}

Deno.test("secrets: no false alarm in any file of this project", () => {
  const files = sourceFiles();
  assert(files.length > 300 && files.some(({ path }) => path === "diodes/policies/secrets.toml"));
  assertEquals(files.flatMap(({ path, text }) => alarms(path, text)), []);
});

/** What has the looks of a secret, or speaks of one, and is none. */
const HARMLESS = [
  "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  '"integrity": "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="',
  "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ann@host",
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
  "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  "A file that begins with -----BEGIN RSA PRIVATE KEY----- is to be kept to yourself.",
  'if (text.startsWith("-----BEGIN PRIVATE KEY-----\\n")) return "pem";',
  "Set OPENAI_API_KEY to sk-... and ANTHROPIC_API_KEY to sk-ant-your-key.",
  "curl -H 'Authorization: Bearer YOUR_TOKEN' and Authorization: Basic <base64>",
  "aws_access_key_id = AKIA... \naws_secret_access_key = <your secret access key>",
  "DefaultEndpointsProtocol=https;AccountName=name;AccountKey=KEY;EndpointSuffix=core",
  "https://hooks.slack.com/services/T000/B000/XXXX and xoxb-your-token-here",
  "class=task-proj-list-item-with-a-very-long-name-indeed-that-goes-on-and-on",
  "const sk_live_mode_is_enabled_in_this_environment_by_default = false;",
  "npm_config_cache=/tmp npm_lifecycle_event=test hf_transfer=1 gho_st ghp_",
  "export const secret_key_base_of_the_application_that_is_running = env.secret;",
  "The numbers 12345:AA and 2024-01-01T00:00:00Z, ratio 3:AAAA, key-value, pat-a-cake.",
  "import { readableStreamFromReader, writableStreamFromWriter } from 'std/streams';",
  "monkey-0123456789abcdef is not a key, nor is turkey-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
  "SKELETON SKU SK-II dapifer v1.0-beta2 fo1 r8 dp.pt glpat pul-mo shpat eyJ ey",
  "It was the best of times, it was the worst of times, it was the age of wisdom.",
];

Deno.test("secrets: no false alarm on prose and code that have the looks", () => {
  assertEquals(HARMLESS.flatMap((text) => alarms("", text)), []);
});
