/** `vei policy list | show | check | init | diff`. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { compilePolicy, judge } from "../../src/api/policy.ts";
import type { Direction } from "../../src/policy/policy.ts";
import { readPolicy } from "../../src/policy/policy_text.ts";
import { shippedPolicies, shippedPolicy } from "../../diodes/shipped.ts";
import { fileState, vei, type VeiOptions } from "../tools/vei.ts";

/** Compiling `secrets` takes seconds, and several of these run beside each other. */
const MOST_MS = 240_000;

/** Compiled policies are kept there, and not in the machine's cache. */
const STATE = ["--state", fileState()];

async function policy(args: string[], code: number, options: VeiOptions = {}): Promise<string> {
  const ran = await vei(["policy", ...args, ...STATE], { timeoutMs: MOST_MS, ...options });
  assertEquals(ran.code, code, `${args.join(" ")}: ${ran.stderr}${ran.stdout}`);
  return ran.stdout + ran.stderr;
}

// deno-lint-ignore no-explicit-any
async function asJson(args: string[], code: number, options: VeiOptions = {}): Promise<any> {
  const ran = await vei(["policy", ...args, "--json", ...STATE], {
    timeoutMs: MOST_MS,
    ...options,
  });
  assertEquals(ran.code, code, `${args.join(" ")}: ${ran.stderr}${ran.stdout}`);
  return JSON.parse(ran.stdout);
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-policy-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const HEAD = 'name = "mine"\nversion = "1"\ndescription = "d"\n';
const word = (id: string, words: string, more = "") =>
  `[[forbid]]\nid = "${id}"\nwords = [${words}]\n${more}`;

Deno.test("list: what is shipped, with the configured default", () =>
  inFolder(async (folder) => {
    const config = `${folder}/vei.toml`;
    await Deno.writeTextFile(config, '[policy]\ndefault = "no-links"\nallow = ["open"]\n');
    const all = await asJson(["list", "--config", config], 0);
    assertEquals(all.map(({ name }: { name: string }) => name), shippedPolicies());
    for (const { name, version, description, from, error, ...one } of all) {
      assertEquals([version, from, error], ["1", "shipped", null]);
      assertEquals([one.default, one.allowed], [name === "no-links", name === "open"]);
      assertEquals(description, readPolicy(shippedPolicy(name), name).description);
    }
    const text = await policy(["list", "--config", config], 0);
    assertMatch(text, /^no-links {6}No URLs.* \(the default\)$/m);
    assertMatch(text, /^open {10}Everything passes \(requests may choose it\)$/m);
    assertEquals(text.trimEnd().split("\n").length, all.length);

    await Deno.writeTextFile(config, `[policy]\ndefault = "${folder}/mine.toml"\n`);
    await Deno.writeTextFile(`${folder}/mine.toml`, HEAD + word("w", '"x"'));
    const own = (await asJson(["list", "--config", config], 0)).at(-1);
    assertEquals([own.path, own.from, own.default], [`${folder}/mine.toml`, "file", true]);
    await policy(["list", "--config", `${folder}/nosuch`], 78);
  }));

Deno.test("list: an installed policy stands for the shipped one; a broken one is told", async () => {
  const there = await Deno.stat("/etc/vei").then(() => true, () => false);
  const wrap = [
    ...["unshare", "--mount", "sh", "-c"],
    "mkdir -p /etc/vei && mount -t tmpfs none /etc/vei && mkdir /etc/vei/policies && " +
    'printf "$P" > /etc/vei/policies/open.toml && printf x > /etc/vei/policies/odd.toml && ' +
    'printf "[polcy]" > /etc/vei/vei.toml && exec "$@"',
    "sh",
  ];
  const env = { P: HEAD + word("w", '"x"') };
  try {
    const ran = await vei(["policy", "list", "--json"], { wrap, env });
    assertEquals(ran.code, 0, ran.stderr);
    assertStringIncludes(ran.stderr, "the default is not known");
    const all: Record<string, unknown>[] = JSON.parse(ran.stdout);
    assertEquals(all.length, shippedPolicies().length + 1);
    const open = all.find(({ name }) => name === "open")!;
    assertEquals([open.from, open.description, open.default], ["installed", "d", null]);
    const odd = all.find(({ name }) => name === "odd")!;
    assertStringIncludes(String(odd.error), "/etc/vei/policies/odd.toml:1:");
    assertStringIncludes(await policy(["show", "open"], 0, { wrap, env }), env.P);
  } finally {
    if (!there) await Deno.remove("/etc/vei").catch(() => {});
  }
});

Deno.test("show: the text as it is, and its digest", async () => {
  assertEquals(await policy(["show", "secrets"], 0), shippedPolicy("secrets"));
  const { text, sha256, path } = await asJson(["show", "open"], 0);
  const compiled = await compilePolicy(shippedPolicy("open"), "open.toml");
  assertEquals([text, sha256, path], [shippedPolicy("open"), compiled.sha256, "open.toml"]);
  assertStringIncludes(await policy(["show", "sercets"], 78), "[policy-unknown]");
  assertStringIncludes(await policy(["show"], 64), "[usage]");
});

for (const name of shippedPolicies()) {
  Deno.test(`check ${name}: its examples hold, and each rule forbids what is shown`, async () => {
    const facts = await asJson(["check", name], 0);
    assert(facts.ok && facts.sha256.length === 64);
    const compiled = await compilePolicy(shippedPolicy(name), name);
    const { forbid, require, examples } = compiled.policy;
    assertEquals(facts.examples.length, examples.length);
    assertEquals(facts.rules.length, forbid.length + require.length);
    for (const { id, appliesTo, forbids, hold, kernel } of facts.rules) {
      const direction: Direction = appliesTo.includes("output") ? "output" : "input";
      const violation = judge(compiled[direction], forbids.text);
      assert(violation !== null, `${id}: ${forbids.text}`);
      assert(hold >= 0 && hold <= facts[direction].hold, `${id} ${hold}`);
      const share = facts.kernel[kernel ? "held" : "left"];
      assert(share.some((one: { id: string }) => one.id === id), id);
    }
    const { automata, states, tableBytes } = facts.output;
    assertEquals(automata, compiled.output.automata.length);
    assert(automata === 0 || states > 0 && tableBytes > states, `${states} ${tableBytes}`);
  });
}

Deno.test("check: a shortest text for each rule, and where the limits leave none", () =>
  inFolder(async (folder) => {
    const path = `${folder}/mine.toml`;
    const rules = [
      word("long", '"hatred", "hate"'),
      word("accent", '"é"'),
      word("late", '"abcd"', "within = 3\n"),
      word("asked", '"tell"', 'applies_to = ["input"]\n'),
      "[[require]]\nid = \"digits\"\nregex = '[0-9]+'\n",
    ];
    await Deno.writeTextFile(path, `${HEAD}[limits]\ncharset = "ascii"\n${rules.join("")}`);
    const facts = await asJson(["check", path], 0);
    const texts = facts.rules.map((
      { id, forbids }: { id: string; forbids: { text: string } | null },
    ) => [id, forbids?.text ?? null]);
    assertEquals(texts, [
      ...[["long", "hate"], ["accent", null], ["late", null], ["asked", "tell"]],
      // Refused at a byte, and not only as it ends too early.
      ["digits", "a"],
    ]);
    assertEquals(facts.warnings.length, 2, facts.warnings.join());
    assertStringIncludes(facts.warnings[0], "no examples");
    assertStringIncludes(facts.warnings[1], "accent, late: ");
    const text = await policy(["check", `${folder}/mine.toml`], 0);
    assertStringIncludes(text, "warning: accent, late: ");
    assertMatch(text, /^ {2}digits .* monitor {2}"a"$/m);
    assertMatch(text, /^input .* holds back at most 3 bytes$/m);
  }));

Deno.test("check: what may be held back without bound is named", () =>
  inFolder(async (folder) => {
    const path = `${folder}/p.toml`;
    const rule = "[[forbid]]\nid = \"open\"\nregex = 'begin[^]*end'\n";
    await Deno.writeTextFile(path, HEAD + word("w", '"xyz"') + rule);
    // Refused, with the place of the rule and what to do.
    const refused = await policy(["check", path], 78);
    assertStringIncludes(refused, `${path}:7:1: open: may hold back without bound`);
    assertStringIncludes(refused, 'max_hold = "all"');
    await Deno.writeTextFile(
      path,
      `${HEAD}[limits]\nmax_bytes = 500\nmax_hold = "all"\n${word("w", '"xyz"')}${rule}`,
    );
    const facts = await asJson(["check", path], 0);
    assertEquals(facts.rules.map(({ hold }: { hold: number | null }) => hold), [3, null]);
    assertEquals(facts.output.hold, 501);
    assertStringIncludes(facts.warnings.at(-1), "open: without bound; up to max_bytes (500)");
  }));

Deno.test("check: an example that does not hold is told by its line, exit 1", () =>
  inFolder(async (folder) => {
    const path = `${folder}/mine.toml`;
    const rest = '[[example]]\ntext = "an x"\nverdict = "violation"\n';
    await Deno.writeTextFile(
      path,
      HEAD + word("w", '"x"') +
        `${rest}at = 3\n\n${rest}at = 2\n\n[[example]]\ntext = "axe"\nverdict = "pass"\n` +
        '\n[[example]]\ntext = "a"\nverdict = "violation"\nrule = "w"\n',
    );
    const said = await policy(["check", path], 1);
    assertStringIncludes(said, "examples   1 of 4 hold");
    const expected = [
      [12, "violates a rule at byte 2; it violates w at byte 3"],
      [17, "passes; it violates w at byte 1"],
      [21, "violates w; it passes"],
    ];
    for (const [line, words] of expected) {
      assertStringIncludes(said, `${path}:${line}: the example (output) is said to be one that`);
      assertStringIncludes(said, String(words));
    }
    const { ok, examples } = await asJson(["check", path], 1);
    assertEquals(ok, false);
    assertEquals(examples.map(({ holds }: { holds: boolean }) => holds), [
      true,
      false,
      false,
      false,
    ]);
    assertEquals(examples[1].judged, { rule: "w", at: 3 });
  }));

Deno.test("check: what is no policy is told with line, column and hint, exit 78", () =>
  inFolder(async (folder) => {
    const cases: [file: string, text: string, place: string, hint: string][] = [
      ["a.toml", `${HEAD}colour = 1\n`, "4:1", "keys of"],
      ["b.toml", `${HEAD}[[forbid]]\nid = "r"\nregex = '(a'\n`, "6:", ""],
      ["c.toml", `${HEAD}[[forbid]]\nid = "r"\nregex = 'a*'\n`, "4:1", "at least one character"],
      ["d.toml", `${HEAD}[[forbid]]\nid = "r"\nregex = '(a|b).{40}a'\n`, "4:1", "a smaller one"],
      ["e.json", '[{"id":"r","type":"warn","pattern":"x"}]', "1:19", "deny_regex"],
      [
        "f.json",
        '[{"id":"r","type":"deny_regex","pattern":"x*"}]',
        "1:2",
        "at least one character",
      ],
      ["g.toml", "", "1:1", "begin with"],
    ];
    for (const [file, text, place, hint] of cases) {
      await Deno.writeTextFile(`${folder}/${file}`, text);
      // A name in the folder, without a slash: its ending says that it is a file.
      const ran = await vei(["policy", "check", file], { cwd: folder });
      assertEquals([ran.code, ran.stdout], [78, ""], ran.stderr);
      assertStringIncludes(ran.stderr, `${file}:${place}`);
      assertStringIncludes(ran.stderr, hint);
    }
  }));

Deno.test("check: a JSON list of rules", () =>
  inFolder(async (folder) => {
    const rules = [{ id: "Ifs", type: "deny_regex", pattern: "(?i)\\bwhat if\\b" }];
    await Deno.writeTextFile(`${folder}/seed.json`, JSON.stringify(rules));
    const facts = await asJson(["check", `${folder}/seed.json`], 0);
    assertEquals([facts.name, facts.rules[0].id, facts.rules[0].forbids], [
      ...["seed", "Ifs", { text: "what if" }],
    ]);
  }));

Deno.test("init: a policy that the check passes; never over a file", () =>
  inFolder(async (folder) => {
    const options = { cwd: folder };
    assertStringIncludes(await policy(["init", "support"], 0, options), "support.toml");
    const text = await Deno.readTextFile(`${folder}/support.toml`);
    assertStringIncludes(text, '\nname = "support"\n');
    assertEquals((await asJson(["init", "other"], 0, options)).path, "other.toml");
    const facts = await asJson(["check", "support.toml"], 0, options);
    assertEquals([facts.name, facts.ok, facts.warnings], ["support", true, []]);
    assert(facts.examples.length >= 4);
    assertStringIncludes(
      await policy(["diff", "support.toml", "other.toml"], 0, options),
      "equivalent",
    );
    // What is commented out can be read too; the examples are not about it.
    const whole = text.replace(
      /^# (?=(\[\[|id|words|ignore_case|within|json|regex|max_time|max_hold)\b|\[\[)/gm,
      "",
    );
    await Deno.writeTextFile(`${folder}/whole.toml`, whole);
    const rules = (await asJson(["check", "whole.toml"], 1, options)).rules;
    assertEquals(rules.length, 5, rules.map(({ id }: { id: string }) => id).join());

    await Deno.writeTextFile(`${folder}/mine.toml`, "mine");
    await Deno.symlink(`${folder}/elsewhere`, `${folder}/link.toml`);
    for (const name of ["mine", "link"]) {
      assertStringIncludes(await policy(["init", name], 73, options), "is there already");
    }
    assertEquals(await Deno.readTextFile(`${folder}/mine.toml`), "mine");
    assertEquals([...Deno.readDirSync(folder)].some(({ name }) => name === "elsewhere"), false);
    for (const args of [[], ["a", "b"], ["../up"], ["Capital"], ["a.toml"]]) {
      await policy(["init", ...args], 64, options);
    }
  }));

Deno.test("diff: a shortest text each way, on answers and on questions", () =>
  inFolder(async (folder) => {
    const [a, b] = [`${folder}/a.toml`, `${folder}/b.toml`];
    await Deno.writeTextFile(
      a,
      HEAD + word("w", '"hate", "spite"', 'applies_to = ["input", "output"]\n'),
    );
    await Deno.writeTextFile(
      b,
      HEAD + word("h", '"hat"') + word("q", '"spite", "why"', 'applies_to = ["input"]\n'),
    );
    const found = await asJson(["diff", a, b], 1);
    assertEquals(found.equivalent, false);
    const text = (text: string, rule: string) => ({
      ...{ kind: "text", bytes: text.length, shortest: true },
      ...{ text, rule, offset: text.length - 1 },
    });
    assertEquals(found.output, {
      forbiddenByFirstAlone: text("spite", "w"),
      forbiddenBySecondAlone: text("hat", "h"),
    });
    assertEquals(found.input, {
      forbiddenByFirstAlone: text("hate", "w"),
      forbiddenBySecondAlone: text("why", "q"),
    });
    const said = await policy(["diff", a, b], 1);
    assertStringIncludes(said, `output, forbidden by ${a} alone: "spite" (rule w, byte 4)`);
    assertStringIncludes(said, `input, forbidden by ${b} alone: "why" (rule q, byte 2)`);
  }));

Deno.test("diff: the same in other words is equivalent, exit 0; names and time are no texts", () =>
  inFolder(async (folder) => {
    const [a, b] = [`${folder}/a.toml`, `${folder}/b.toml`];
    await Deno.writeTextFile(a, HEAD + word("w", '"hate", "hates"', "ignore_case = true\n"));
    await Deno.writeTextFile(
      b,
      `${HEAD.replace("mine", "other")}[limits]\nmax_time = "5 s"\n` +
        "[[forbid]]\nid = \"r\"\nregex = '[hH][aA][tT](?:e|E)'\n",
    );
    const said = await policy(["diff", a, b], 0);
    assertStringIncludes(said, "equivalent: no text tells them apart\nmax_time: none and 5000 ms");
    const { equivalent, output, maxTimeMs } = await asJson(["diff", a, b], 0);
    assertEquals([equivalent, output.forbiddenByFirstAlone.kind], [true, "none"]);
    assertEquals(maxTimeMs, [null, 5000]);
  }));

Deno.test("diff: bytes that are no text, and a text too long to show", () =>
  inFolder(async (folder) => {
    const [a, b] = [`${folder}/a.toml`, `${folder}/b.toml`];
    const limited = (limits: string) => `${HEAD}[limits]\n${limits}\n${word("w", '"x"')}`;
    await Deno.writeTextFile(a, limited('charset = "utf-8"'));
    await Deno.writeTextFile(b, limited('charset = "bytes"'));
    const { hex, text, rule } = (await asJson(["diff", a, b], 1)).output.forbiddenByFirstAlone;
    assertEquals([text, rule], [undefined, "limit:charset"]);
    assertMatch(hex, /^([89a-f][0-9a-f])+$/);
    assertMatch(await policy(["diff", a, b], 1), /alone: "(\\x[0-9a-f]{2})+" \(rule limit:charset/);
    await Deno.writeTextFile(a, limited("max_bytes = 1000"));
    await Deno.writeTextFile(b, limited("max_bytes = 2000"));
    assertMatch(
      await policy(["diff", a, b], 1),
      /"a{200}" … \(1001 bytes\) \(rule limit:max_bytes/,
    );
    await Deno.writeTextFile(a, limited("max_bytes = 1000000000"));
    await Deno.writeTextFile(b, limited("max_bytes = 2000000000"));
    assertMatch(await policy(["diff", a, b], 1), /alone: a text of 1000000001 bytes\n/);
  }));

Deno.test("diff: what takes too many states cannot be told, exit 2, and is never equivalent", () =>
  inFolder(async (folder) => {
    const [a, b] = [`${folder}/a.toml`, `${folder}/b.toml`];
    await Deno.writeTextFile(a, HEAD + word("w", '"x"', "within = 300000\n"));
    await Deno.writeTextFile(b, HEAD + word("w", '"x"', "within = 300001\n"));
    const said = await policy(["diff", a, b], 2);
    assert(!said.includes("equivalent"), said);
    assertStringIncludes(said, `forbidden by ${b} alone: cannot be told, more than 200,000 joint`);
    assertEquals((await asJson(["diff", a, b], 2)).equivalent, null);
  }));

Deno.test("diff: secrets without one of its rules, and with it", () =>
  inFolder(async (folder) => {
    const path = `${folder}/less.toml`;
    const lines = shippedPolicy("secrets").split("\n");
    await Deno.writeTextFile(path, lines.filter((line) => !line.includes("npm-token")).join("\n"));
    const { output } = await asJson(["diff", "secrets", path], 1);
    assertEquals(output.forbiddenByFirstAlone.rule, "npm-token");
    assertMatch(output.forbiddenByFirstAlone.text, /^npm_\w{36}$/);
    assertEquals(output.forbiddenBySecondAlone.kind, "none");
  }));

Deno.test("diff needs two policies that are there", async () => {
  await policy(["diff", "open"], 64);
  await policy(["diff", "open", "secrets", "open"], 64);
  assertStringIncludes(await policy(["diff", "open", "opne"], 78), "[policy-unknown]");
});
