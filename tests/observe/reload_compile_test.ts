/** A daemon answers while it compiles the policy that it is to take over. */
import { assertEquals, assertMatch } from "@std/assert";
import { openLibraries } from "../../ffi/native.ts";
import { sha256 } from "../../src/base/bytes.ts";
import { shippedPolicy } from "../../diodes/shipped.ts";
import { Box } from "../tools/daemon.ts";

openLibraries();

const policyText = (rule: string) =>
  `name = "mine"\nversion = "1"\ndescription = "x"\n[[forbid]]\nid = "r"\n${rule}\n`;
const SMALL = policyText('words = ["apple"]');
const TOO_LARGE = policyText("regex = '[ab]*a[ab]{3000}'");

const verdictOf = async (answer: Response) => (await answer.json()).vei.verdict;

Deno.test("requests are answered while a policy is compiled that takes seconds", async () => {
  await using box = await Box.make({ model: null, image: false });
  const path = `${box.instance.state}/mine.toml`;
  await Deno.writeTextFile(path, SMALL);
  const daemon = box.serve({ plain: "mock", config: `[policy]\ndefault = "${path}"\n` });
  const before = await daemon.ready();
  await Deno.writeTextFile(path, shippedPolicy("secrets"));
  daemon.kill("SIGHUP");
  await daemon.until("the reload", ({ reload }) => reload.started === 1);
  // So many in a row come and are answered before it is compiled, under the policy that holds.
  for (let i = 0; i < 10; i++) {
    assertEquals((await verdictOf(await box.tell("an apple"))).rule, "r");
  }
  const during = await daemon.ready();
  assertEquals([during.reload.finished, during.policy], [0, before.policy]);
  const after = await daemon.until("its end", ({ reload }) => reload.finished === 1);
  assertEquals(after.reload.results[0].error, null);
  assertEquals(after.policy!.sha256, await sha256(await Deno.readFile(path)));
  assertEquals((await verdictOf(await box.tell("an apple"))).outcome, "completed");

  // What the compiler refuses leaves the policy in force, and is told as ever.
  await Deno.writeTextFile(path, TOO_LARGE);
  const refused = await box.vei(["reload"]);
  assertEquals(refused.code, 78);
  assertMatch(refused.stderr, /mine\.toml:4:1: .*\[policy-too-large\]/);
  assertEquals((await daemon.ready()).policy, after.policy);
});
