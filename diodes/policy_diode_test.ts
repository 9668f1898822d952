import { assert, assertEquals, assertMatch, assertRejects, fail } from "@std/assert";
import { decide } from "../src/automaton/dfa.ts";
import { compilePredicate } from "../src/automaton/compile.ts";
import { hex, sha256 } from "../src/base/bytes.ts";
import { VeiError } from "../src/base/errors.ts";
import { compileMonitor } from "../src/gate/compile_monitor.ts";
import { Monitor } from "../src/gate/monitor.ts";
import { parsePredicate } from "../src/policy/parse.ts";
import { packetRules } from "../src/policy/policy_predicate.ts";
import { readPolicy } from "../src/policy/policy_text.ts";
import { wholeFile } from "../src/policy/source.ts";
import { judge } from "../src/automaton/judgement.ts";
import { seeded } from "../tests/judge/random.ts";
import { compileDiode, shippedDiode } from "./plan.ts";
import { compilePolicyDiode } from "./policy_diode.ts";
import { refusedOfServer } from "./preflight.ts";
import { shippedPolicies, shippedPolicy, shippedPolicyDiodes } from "./shipped.ts";

const SEED = Number(Deno.env.get("VEI_SEED") ?? 20261125);

const RULES = {
  hostMac: "02:00:00:00:00:01",
  guestMac: "52:54:00:12:34:56",
  hostIp: "172.30.0.1",
  guestIp: "172.30.0.11",
  guestPort: 8080,
  maxFrame: 1514,
};

const shipped = (name: string) => compilePolicyDiode(shippedPolicy(name), `${name}.toml`, RULES);
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("each shipped policy but the empty one makes a diode that lets the model server speak", async () => {
  const able = shippedPolicies().filter((name) =>
    packetRules(readPolicy(shippedPolicy(name), name)).some(({ why }) => why === null)
  );
  assertEquals(able.map((name) => `policy:${name}`), shippedPolicyDiodes());
  for (const name of able) {
    const plan = await shipped(name);
    assertEquals(plan.name, `policy:${name}`);
    assertEquals(plan.digests.source, await sha256(bytes(shippedPolicy(name))));
    assertEquals([plan.warnings, refusedOfServer(plan.judgement)], [[], null], name);
    const rules = packetRules(readPolicy(shippedPolicy(name), name)).map(({ id }) => id);
    const { held, left } = plan.share!;
    assertEquals([...held, ...left].map(({ id }) => id).sort(), rules.sort(), name);
    if (["hateless", "reality-only", "no-links", "printable"].includes(name)) {
      assertEquals(left, [], name);
    }
  }
});

Deno.test("of secrets the kernel's table has room for some; which, is told", async () => {
  const { share, judgement } = await shipped("secrets");
  const { held, left } = share!;
  assert(held.length >= 25 && left.length > 10, `${held.length} and ${left.length}`);
  assert(held.some(({ id }) => id === "aws-access-key-id"));
  const key = ["xAK", "IAAAAAAAAAAAAAAAAAA"].join("");
  assertEquals(judge(judgement, bytes(key)), { accepted: true, offset: key.length });
  const beside = ` ${key.slice(1)}`;
  assertEquals(judge(judgement, bytes(beside)), { accepted: false, offset: 20 });
  for (const { why } of left) assertMatch(why, /table would be too large$/);
});

Deno.test("each rule is held as it is shown, and nothing else", async () => {
  const { share, file } = await shipped("reality-only");
  const parts = share!.held.map(({ predicate }) =>
    compilePredicate(parsePredicate(wholeFile(predicate, "shown")))
  );
  const whole = compilePredicate(file.predicate);
  for (const text of ["Imagine.", "I imagine a", " poem", " poem ", "what if\n", "é", "\xff x"]) {
    const accepted = parts.every((part) => decide(part, bytes(text)).accepted);
    assertEquals(decide(whole, bytes(text)).accepted, accepted, text);
  }
});

Deno.test("what a diode refuses is part of no text that the monitor lets through, however it is cut", async () => {
  const random = seeded(SEED);
  const decoder = new TextDecoder();
  for (const name of shippedPolicies().filter((one) => one !== "open")) {
    const policy = readPolicy(shippedPolicy(name), name);
    // What is required of the whole is not the diode's; without it more texts are allowed.
    const { program } = compileMonitor({ ...policy, require: [] }, "output");
    const { judgement } = await shipped(name);
    const near = policy.examples.map(({ text }) => bytes(text)).filter(({ length }) => length > 0);
    let [refused, allowed] = [0, 0];
    for (let round = 0; round < 3000; round++) {
      const pieces = Array.from({ length: 1 + random.below(3) }, () => {
        const text = random.pick(near);
        const from = random.below(3) === 0 ? random.below(text.length) : 0;
        const to = random.below(3) === 0 ? random.below(text.length + 1) : text.length;
        const broken = random.once(8) ? random.bytes(1) : [];
        const after = bytes(random.pick(["", " ", "é", "s", "\n", "😀"]));
        return [...text.subarray(from, to), ...broken, ...after];
      });
      const text = Uint8Array.from(pieces.flat());
      const monitor = new Monitor(program);
      const broken = (monitor.push(text).violation ?? monitor.end().violation) !== null;
      if (!broken) allowed++;
      const cuts = [0, text.length, ...pieces.map(() => random.below(text.length + 1))];
      cuts.sort((a, b) => a - b);
      for (const [i, end] of cuts.slice(1).entries()) {
        const packet = text.subarray(cuts[i], end);
        if (packet.length === 0 || judge(judgement, packet).accepted) continue;
        refused++;
        if (!broken) {
          fail(`seed ${SEED}: ${name} refuses ${hex(packet)} of ${decoder.decode(text)}`);
        }
      }
    }
    assert(refused > 50 && allowed > 50, `${name}: ${refused} refused, ${allowed} allowed`);
  }
});

Deno.test("another way to the same automaton: a diode of one's own with that predicate", async () => {
  const plan = await shipped("hateless");
  const own = shippedDiode("hateless")
    .replace(/predicate = .*/, "predicate = 'not matches /hate/iu and utf8'");
  assertEquals((await compileDiode(own, "own", RULES)).table, plan.table);
  assertEquals((await compileDiode(own, "own", RULES)).share, null);
});

Deno.test("a policy without a rule for packets makes none", async () => {
  const head = 'name = "x"\nversion = "1"\ndescription = "d"\n';
  const refused = async (body: string, says: RegExp) => {
    const error = await assertRejects(
      () => compilePolicyDiode(head + body, "x.toml", RULES),
      VeiError,
    );
    assertEquals([error.code, error.exit], ["diode-policy-empty", 78]);
    assertMatch(error.message, says);
  };
  await refused('allow_everything = true\n[limits]\ncharset = "bytes"\n', /\(it has none\)/);
  await refused(
    '[limits]\ncharset = "bytes"\n[[require]]\nid = "j"\njson = { max_depth = 2 }\n',
    /\(j: what it requires is a form of the whole answer\)/,
  );
  const wrong = await assertRejects(
    () => compilePolicyDiode(`${head}[[forbid]]\nid = "r"\nregex = '('\n`, "x.toml", RULES),
    VeiError,
  );
  assertEquals(wrong.code, "policy-invalid");
});
