/** Reloads of a daemon without virtual machine: `vei reload`, SIGHUP, and what they leave behind. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openLibraries } from "../../ffi/native.ts";
import { sha256 } from "../../src/base/bytes.ts";
import type { Receipt } from "../../src/receipt/statement.ts";
import { Box, type Daemon } from "../tools/daemon.ts";
import { endlessServer } from "../tools/endless_server.ts";
import { scrape } from "../tools/prometheus.ts";
import { assertAllValid, receiptsOf } from "../tools/receipts.ts";

openLibraries();

const policyText = (word: string) =>
  `name = "${word}less"\nversion = "1"\ndescription = "no ${word}"\n` +
  `[[forbid]]\nid = "${word}"\nwords = ["${word}"]\n`;

/** A box with a policy for each word, and a daemon whose configuration names the first. */
class Place implements AsyncDisposable {
  private constructor(readonly box: Box, readonly daemon: Daemon) {}

  static async make(words: string[], plain = "mock", box?: Box): Promise<Place> {
    box ??= await Box.make({ model: null, image: false });
    for (const word of words) {
      await Deno.writeTextFile(`${box.instance.state}/${word}.toml`, policyText(word));
    }
    const daemon = box.serve({ plain, config: configOf(box, words[0]) });
    await daemon.ready();
    return new Place(box, daemon);
  }

  get config(): string {
    return `${this.box.instance.state}/vei.toml`;
  }

  /** Names another policy in the configuration. @param more further lines. */
  async write(word: string, more = "", allow: string[] = []): Promise<void> {
    await Deno.writeTextFile(this.config, configOf(this.box, word, allow) + more);
  }

  /** Asks under the policy of a name. */
  choosing(name: string, content: string): Promise<Response> {
    return this.box.fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json", "VEI-Policy": name },
      body: JSON.stringify({ messages: [{ role: "user", content }] }),
    });
  }

  digest(word: string): Promise<string> {
    return sha256(new TextEncoder().encode(policyText(word)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.box[Symbol.asyncDispose]();
  }
}

const configOf = (box: Box, word: string, allow: string[] = []) => {
  const paths = [word, ...allow].map((name) => `${box.instance.state}/${name}.toml`);
  return `[policy]\ndefault = "${paths[0]}"\nallow = ${JSON.stringify(paths.slice(1))}\n`;
};

const verdictOf = async (answer: Response) => (await answer.json()).vei.verdict;

Deno.test("a policy and limits are taken over together, and the log has a signed entry", async () => {
  await using place = await Place.make(["apple", "pear"]);
  const { box, daemon } = place;
  assertEquals((await verdictOf(await box.tell("an apple"))).rule, "apple");
  const before = await daemon.ready();
  assertEquals([before.reload.generation, before.reload.results], [1, []]);

  await place.write("pear", '[api]\nmax_queue = 3\nmax_body = "2 KiB"\n[log]\nlevel = "warn"\n');
  const ran = await box.vei(["reload"]);
  assertEquals(ran.code, 0, ran.stderr);
  assertMatch(
    ran.stdout,
    /^reloaded: api\.max_body, api\.max_queue, policy\.default, log\.level; generation 2\n/,
  );
  const { reload, policy } = await daemon.ready();
  const file = await Deno.readFile(place.config);
  assertEquals([reload.generation, reload.sha256], [2, await sha256(file)]);
  assertEquals(policy!.sha256, await place.digest("pear"));
  assertEquals((await verdictOf(await box.tell("an apple"))).outcome, "completed");
  assertEquals((await verdictOf(await box.tell("a pear"))).rule, "pear");
  const { values } = await scrape(box.fetch("/metrics"));
  assertEquals([values.vei_queue_limit, values.vei_config_generation], [3, 2]);
  assertEquals(values['vei_reloads_total{outcome="applied"}'], 1);
  const long = await box.tell("x".repeat(3000));
  assertEquals(long.status, 413);
  await long.body!.cancel();

  const all = await receiptsOf(box);
  assertEquals(all.map(({ kind }) => kind), ["exchange", "reload", "exchange", "exchange"]);
  const entry = all[1];
  assertEquals([entry.id, entry.verdict], [reload.results.at(-1)!.receipt!, {
    outcome: "applied",
  }]);
  assertEquals(entry.policy.sha256, await place.digest("apple"), "what held before it");
  assertEquals(entry.reload, {
    generation: 2,
    changed: ["api.max_body", "api.max_queue", "policy.default", "log.level"],
    config: { before: before.reload.sha256, after: reload.sha256 },
    policy: { before: await place.digest("apple"), after: await place.digest("pear") },
    diode: null,
  });
  const out = `${box.instance.state}/entry.json`;
  assertEquals((await box.vei(["receipt", "export", entry.id, "--out", out])).code, 0);
  const verified = await box.vei(["verify", out]);
  assertEquals(verified.code, 0, verified.stdout + verified.stderr);
  assertMatch(verified.stdout, /VALID.*applied/);
  assertMatch((await box.vei(["receipt", "list"])).stdout, /reload: applied, api\.max_body/);

  const again = await box.vei(["reload", "--json"]);
  assertEquals([again.code, JSON.parse(again.stdout).outcome], [0, "unchanged"]);
  await place.write(
    "pear",
    '[api]\nmax_queue = 3\nmax_body = "2 KiB"\n[log]\nlevel = "warn"\n# !\n',
  );
  const comment = await box.vei(["reload", "--json"]);
  assertEquals(JSON.parse(comment.stdout).change.changed, ["configuration file"]);
  await Deno.writeTextFile(`${box.instance.state}/pear.toml`, policyText("pear") + "# !\n");
  const content = await box.vei(["reload", "--json"]);
  assertEquals(JSON.parse(content.stdout).change.changed, ["policy file"]);
  assertEquals(JSON.parse(content.stdout).generation, 4);
  assertEquals((await receiptsOf(box)).length, 6);
});

Deno.test("policies that requests may choose are taken over with the rest, each by its digest", async () => {
  await using place = await Place.make(["apple", "pear", "plum"]);
  const { box, daemon } = place;
  const content = "a pear, a plum, an apple";
  const refused = await place.choosing("pearless", content);
  assertEquals([refused.status, (await refused.json()).error.code], [403, "policy_not_allowed"]);

  await place.write("apple", "", ["pear", "plum"]);
  const first = await box.vei(["reload"]);
  assertMatch(
    first.stdout,
    /^reloaded: policy\.allow; generation 2\npolicy {2}pearless by request:/,
  );
  const rules = await Promise.all(
    ["appleless", "pearless", "plumless"].map(async (name) =>
      (await verdictOf(await place.choosing(name, content))).rule
    ),
  );
  assertEquals(rules, ["apple", "pear", "plum"]);
  const { policy } = await daemon.ready();
  assertEquals(policy!.allowed.map(({ name }) => name), ["pearless", "plumless"]);
  assertMatch((await box.vei(["status"])).stdout, /by request pearless, plumless\n/);
  const asked = await box.vei(["ask", "--policy", "plumless", content]);
  assertEquals([asked.code, asked.stdout], [3, "a pear, a \n"]);
  const denied = await box.vei(["ask", "--policy", "open", content]);
  assertEquals([denied.code, denied.stdout], [3, ""], denied.stderr);
  assertMatch(denied.stderr, /^receipt [0-9a-f-]{36}\n.*\(policy_not_allowed\)/);
  assertEquals((await box.vei(["ask", "--policy", "../x", content])).code, 64);

  const before = await place.digest("pear");
  const text = policyText("pear") + "# !\n";
  await Deno.writeTextFile(`${box.instance.state}/pear.toml`, text);
  const second = JSON.parse((await box.vei(["reload", "--json"])).stdout);
  assertEquals(second.change.changed, ["policy file pearless"]);
  const after = await sha256(new TextEncoder().encode(text));
  assertEquals(second.change.allowed, [{ name: "pearless", before, after }]);
  await place.write("apple", "", ["plum"]);
  assertMatch((await box.vei(["reload"])).stdout, /pearless may not be chosen any more \(was/);
  const gone = await place.choosing("pearless", content);
  assertEquals([gone.status, (await gone.json()).error.code], [403, "policy_not_allowed"]);

  const all = await receiptsOf(box);
  const exchanges = all.filter(({ kind }) => kind === "exchange");
  assertEquals(
    exchanges.map(({ policy, verdict }) => [policy.name, verdict.outcome]).sort(),
    [
      ...[["appleless", "aborted"], ["appleless", "refused"], ["appleless", "refused"]],
      ...[["appleless", "refused"], ["pearless", "aborted"]],
      ...[["plumless", "aborted"], ["plumless", "aborted"]],
    ],
  );
  await assertAllValid(box);
});

interface Refusal {
  code: string;
  exit: number;
  says: RegExp;
  spoil(place: Place): Promise<void>;
}

const REFUSALS: Record<string, Refusal> = {
  "a policy that cannot be understood": {
    code: "policy-invalid",
    exit: 78,
    says: /broken\.toml/,
    async spoil({ box, config }) {
      await Deno.writeTextFile(`${box.instance.state}/broken.toml`, 'name = "x"\n');
      await Deno.writeTextFile(config, configOf(box, "broken") + '[log]\nlevel = "debug"\n');
    },
  },
  "a policy that is not there": {
    code: "policy-unreadable",
    exit: 78,
    says: /none\.toml/,
    spoil: (place) => place.write("none"),
  },
  "a policy to choose that is not there": {
    code: "policy-unreadable",
    exit: 78,
    says: /none\.toml.*\n.*\[policy\] allow/,
    spoil: (place) => place.write("pear", "", ["apple", "none"]),
  },
  "two policies of one name": {
    code: "policy-twice",
    exit: 78,
    says: /appleless/,
    async spoil(place) {
      const { state } = place.box.instance;
      await Deno.writeTextFile(`${state}/other.toml`, policyText("apple") + "# !\n");
      await place.write("apple", "", ["other"]);
    },
  },
  "an unknown key": {
    code: "config-invalid",
    exit: 78,
    says: /unknown key api\.max_quue/,
    spoil: (place) => place.write("pear", "[api]\nmax_quue = 3\n"),
  },
  "a configuration that is no TOML": {
    code: "config-invalid",
    exit: 78,
    says: /vei\.toml:\d+:\d+/,
    spoil: (place) => place.write("pear", "[api\n"),
  },
  "a configuration that cannot be read": {
    code: "config-unreadable",
    exit: 78,
    says: /vei\.toml/,
    async spoil({ config }) {
      await Deno.remove(config);
      await Deno.mkdir(config);
    },
  },
  "a configuration that is not UTF-8": {
    code: "config-unreadable",
    exit: 78,
    says: /vei\.toml/,
    spoil: ({ config }) => Deno.writeFile(config, Uint8Array.of(0x23, 0xff, 0x0a)),
  },
  "a configuration that is gone: no wish for the defaults": {
    code: "config-unreadable",
    exit: 78,
    says: /put it back/,
    spoil: ({ config }) => Deno.remove(config),
  },
  "another address to listen on: refused whole, with the key's name": {
    code: "config-needs-restart",
    exit: 78,
    says: /api\.listen.*\n.*restart/,
    spoil: (place) => place.write("pear", '[api]\nlisten = "127.0.0.1:8788"\nmax_queue = 3\n'),
  },
};

Deno.test("whatever cannot be taken over is refused as a whole, and says why", async (t) => {
  await using place = await Place.make(["apple", "pear"]);
  const { box, daemon } = place;
  const good = await Deno.readTextFile(place.config);
  for (const [name, { code, exit, says, spoil }] of Object.entries(REFUSALS)) {
    await t.step(name, async () => {
      const { reload: before, policy } = await daemon.ready();
      await spoil(place);
      const ran = await box.vei(["reload"]);
      assertEquals(ran.code, exit, ran.stdout + ran.stderr);
      assertMatch(ran.stderr, says);
      assertStringIncludes(ran.stderr, `[${code}]`);
      const after = await daemon.ready();
      assertEquals(after.policy, policy);
      assertEquals([after.reload.generation, after.reload.sha256], [1, before.sha256]);
      assertEquals(after.reload.results.at(-1)!.error!.code, code);
      assertEquals(after.reload.outcomes.refused, before.outcomes.refused + 1);
      assertEquals(after.receipts, 0, "an entry for what was not done");
      assertStringIncludes(daemon.log, "reload refused, nothing was changed");
      await Deno.remove(place.config).catch(() => {});
      await Deno.writeTextFile(place.config, good);
    });
  }
  assertEquals((await verdictOf(await box.tell("an apple"))).rule, "apple");
});

Deno.test("without a daemon: exit 69, and the hint how to start one", async () => {
  await using box = await Box.make({ model: null, image: false });
  const { code, stderr } = await box.vei(["reload"]);
  assertEquals(code, 69);
  assertMatch(stderr, /\[daemon-not-running\]\n.*vei serve/);
});

Deno.test("signals by the dozen and commands side by side: the file's last word holds", async () => {
  await using place = await Place.make(["apple", "pear", "plum"]);
  const { box, daemon } = place;
  for (const word of ["pear", "plum"]) {
    await place.write(word);
    for (let i = 0; i < 12; i++) daemon.kill("SIGHUP");
  }
  const digest = await place.digest("plum");
  await daemon.until("the last policy", ({ policy }) => policy!.sha256 === digest);
  await place.write("apple");
  const ran = await Promise.all(Array.from({ length: 4 }, () => box.vei(["reload", "--json"])));
  assertEquals(ran.map(({ code }) => code), [0, 0, 0, 0]);
  assertEquals(
    ran.filter(({ stdout }) => JSON.parse(stdout).outcome === "applied").length >= 1,
    true,
  );
  const { policy, reload } = await daemon.ready();
  assertEquals(policy!.sha256, await place.digest("apple"));
  const entries = (await receiptsOf(box)).filter(({ kind }) => kind === "reload");
  // Each generation once, each entry beginning where the one before it ended.
  assertEquals(entries.map((one) => one.reload!.generation), entries.map((_, i) => i + 2));
  assertEquals(entries.length, reload.generation - 1);
  entries.slice(1).forEach((one, i) => {
    assertEquals(one.reload!.policy.before, entries[i].reload!.policy.after);
    assertEquals(one.reload!.config.before, entries[i].reload!.config.after);
  });
});

Deno.test("an answer under way keeps the policy that it began with; the next has the new one", async () => {
  const box = await Box.make({ model: null, image: false });
  await using server = endlessServer("plum ");
  await using place = await Place.make(["apple", "plum"], server.url, box);
  const answer = await box.tell("x", { stream: true });
  const id = answer.headers.get("vei-receipt");
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  await reader.read();
  await place.write("plum");
  assertEquals((await box.vei(["reload"])).code, 0);
  let text = "";
  while (text.split("plum").length < 20) text += (await reader.read()).value;
  await reader.cancel();
  const { rule } = await verdictOf(await box.tell("x"));
  assertEquals(rule, "plum");
  const all = await receiptsOf(box);
  const first = all.find((one) => one.id === id)!;
  assertEquals(first.policy.sha256, await place.digest("apple"));
  assertEquals(first.verdict.outcome, "interrupted");
  assertEquals(all.at(-1)!.policy.sha256, await place.digest("plum"));
});

Deno.test("under load every receipt names the policy that judged it, and the times fit the entries", async () => {
  await using place = await Place.make(["apple", "pear"]);
  const { box, daemon } = place;
  let done = false;
  const asking = Array.from({ length: 3 }, async () => {
    while (!done) await (await box.tell("an apple and a pear")).body!.cancel();
  });
  for (let i = 0; i < 20; i++) {
    await place.write(i % 2 === 0 ? "pear" : "apple");
    const { reload } = await daemon.ready();
    daemon.kill("SIGHUP");
    await daemon.until("the reload", (status) => status.reload.finished > reload.finished);
  }
  done = true;
  await Promise.all(asking);
  const all = await receiptsOf(box);
  await assertAllValid(box);
  const words: Record<string, string> = {};
  for (const word of ["apple", "pear"]) words[await place.digest(word)] = word;
  const entries = all.filter(({ kind }) => kind === "reload");
  assertEquals(entries.length, 20);
  const judged = all.filter(({ verdict }) => verdict.outcome === "aborted");
  assert(judged.length > 20, `${judged.length} exchanges`);
  for (const one of judged) {
    const named = words[one.policy.sha256];
    assertEquals((one.verdict as { rule: string }).rule, named);
    assertEquals(named, words[policyAt(entries, one, await place.digest("apple"))]);
  }
});

/** @returns the digest that held when an exchange began, by the entries; its own where times meet. */
function policyAt(entries: Receipt[], { time, policy }: Receipt, first: string): string {
  if (entries.some((entry) => entry.time.end === time.start)) return policy.sha256;
  const before = entries.filter((entry) => entry.time.end < time.start);
  return before.at(-1)?.reload?.policy.after ?? first;
}
