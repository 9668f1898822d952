/** `vei diode list | show | check | try`, by the program itself. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { compileDiode } from "../../diodes/plan.ts";
import { shippedDiode, shippedDiodes, shippedPolicyDiodes } from "../../diodes/shipped.ts";
import { tryByDefinition, tryInKernel } from "../../diodes/trial.ts";
import { openLibraries } from "../../ffi/native.ts";
import { hex } from "../../src/base/bytes.ts";
import { TABLE } from "../../src/bpf/layout.ts";
import { disagreement } from "../../src/cli/diode_try.ts";
import { vei } from "../tools/vei.ts";
import { RULES } from "./bpf_support.ts";

openLibraries();
const hexOf = (text: string) => hex(new TextEncoder().encode(text));

Deno.test("list and show: every shipped diode, with its predicate and its table", async () => {
  const { code, stdout } = await vei(["diode", "list", "--json"]);
  const listed: { name: string; predicate: string | null }[] = JSON.parse(stdout);
  const names = [...shippedDiodes(), ...shippedPolicyDiodes()];
  assertEquals([code, listed.map(({ name }) => name)], [0, names]);
  const { stdout: shown } = await vei(["diode", "show", "hateless", "--json", "--asm"]);
  const facts = JSON.parse(shown);
  assertEquals([facts.horizon, facts.sizes], [512, { least: 0, most: null }]);
  // Before the word, and after its first letter, which may come again.
  assertEquals([facts.table.kinds, facts.table.calmStates], [2, 2]);
  assert(facts.assembly.length > 300 && facts.open.always.length > 0);
  assertEquals(listed.find(({ name }) => name === "hateless")?.predicate, facts.predicate);
});

Deno.test("check: a path is taken wherever a name is; errors carry file, line and column", async () => {
  const file = await Deno.makeTempFile({ suffix: ".toml" });
  try {
    await Deno.writeTextFile(file, shippedDiode("hateless").replace("contains", "contanis"));
    const wrong = await vei(["diode", "check", file]);
    assertEquals([wrong.code, wrong.stdout], [78, ""]);
    assertMatch(wrong.stderr, /\.toml:\d+:\d+: .*\[diode-invalid\]\n {5}.*contains/);
    await Deno.writeTextFile(
      file,
      shippedDiode("text").replace(/predicate = .*/, "predicate='not nothing'"),
    );
    const open = await vei(["diode", "check", file]);
    assertEquals(open.code, 0);
    assertStringIncludes(open.stderr, "accepts every payload");
    assertEquals((await vei(["diode", "try", file, "--hex", "00"])).code, 0);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("try: verdict, reason and offset of the kernel, and of the text beside it", async () => {
  const run = async (args: string[]) => {
    const { code, stdout } = await vei(["diode", "try", ...args, "--json"]);
    return { code, ...JSON.parse(stdout) };
  };
  const drop = { verdict: "drop", reason: "predicate", offset: 5 };
  assertEquals(await run(["hateless", "--hex", hexOf("I hate rain")]), {
    code: 3,
    diode: "hateless",
    ...drop,
    kernel: drop,
    reference: drop,
  });
  const pass = { verdict: "pass", reason: "pass", offset: null };
  assertEquals(await run(["json_start", "--hex", hexOf("{}")]), {
    code: 0,
    diode: "json_start",
    ...pass,
    kernel: pass,
    reference: pass,
  });
  assertEquals((await run(["closed", "--hex", ""])).reason, "empty");
  assertEquals((await run(["minimal", "--hex", ""])).reason, "pass_empty");
  assertEquals((await vei(["diode", "try", "text", "--hex", "00".repeat(1461)])).code, 65);
  assertEquals((await vei(["diode", "try", "text", "--hex", "0"])).code, 64);
});

Deno.test("policy:NAME is a diode: shown rule by rule, tried, and refused where it holds nothing", async () => {
  const shown = JSON.parse((await vei(["diode", "show", "policy:json-only", "--json"])).stdout);
  assertEquals([shown.name, shown.predicate], ["policy:json-only", "utf8"]);
  assertEquals(shown.policy, {
    held: [{ id: "limit:charset", predicate: "utf8" }],
    left: [{ id: "json", why: "what it requires is a form of the whole answer" }],
  });
  const { stdout: text } = await vei(["diode", "check", "policy:json-only"]);
  assertStringIncludes(text, "policy:json-only: enforced on each packet, 1 of 2:");
  assertStringIncludes(text, "left to the monitor alone:\n  json: what it requires");

  const asked = async (name: string, said: string) => {
    const { code, stdout, stderr } = await vei([
      "diode",
      "try",
      name,
      "--hex",
      hexOf(said),
      "--json",
    ]);
    return [code, stderr, JSON.parse(stdout).kernel.offset];
  };
  assertEquals(await asked("policy:hateless", "I HaTe rain"), [3, "", 5]);
  assertEquals(await asked("policy:reality-only", "Just imagine"), [0, "", null]);
  assertEquals(await asked("policy:reality-only", "Just imagine that"), [3, "", 12]);
  // Its table is nearly as large as tables can be.
  const key = [" AK", "IA", "A".repeat(16), " "].join("");
  assertEquals(await asked("policy:secrets", key), [3, "", 20]);
  assertEquals(await asked("policy:secrets", "an answer"), [0, "", null]);

  const open = await vei(["diode", "show", "policy:open"]);
  assertEquals([open.code, open.stdout], [78, ""]);
  assertMatch(open.stderr, /\[diode-policy-empty\]/);
  assertMatch((await vei(["diode", "show", "policy:x"])).stderr, /\[policy-unknown\]/);
});

Deno.test("without rights to load a program there is no verdict", async () => {
  const { code, stdout, stderr } = await vei(["diode", "try", "text", "--hex", "41", "--json"], {
    wrap: ["setpriv", "--bounding-set=-all", "--no-new-privs"],
  });
  const { verdict, kernel, reference } = JSON.parse(stdout);
  assertEquals([code, verdict, kernel, reference.verdict], [69, null, null, "pass"]);
  assertStringIncludes(stderr, "[kernel-not-asked]");
});

Deno.test("a table that does not say what the text says is told from the text", async () => {
  const plan = await compileDiode(shippedDiode("hateless"), "hateless.toml", RULES);
  const payload = new TextEncoder().encode("I hate rain");
  const before = [tryInKernel(plan, RULES, payload), tryByDefinition(plan, payload)] as const;
  assertEquals(disagreement("hateless", ...before), null);
  // Everything stays where it is: no byte is restless any more.
  const table = plan.table.slice();
  table.fill(0, TABLE.kinds, TABLE.kinds + 256);
  const after = tryInKernel({ ...plan, table }, RULES, payload);
  const error = disagreement("hateless", after, tryByDefinition(plan, payload));
  assertEquals([after.verdict, error?.code, error?.exit], ["pass", "diode-disagreement", 70]);
});
