/** A diode made from the policy that the monitor enforces, with a real virtual machine behind it. */
import { assertEquals, assertMatch } from "@std/assert";
import { sha256 } from "../../src/base/bytes.ts";
import { openLibraries } from "../../ffi/native.ts";
import { Box } from "../tools/daemon.ts";
import { assertAllValid, receiptsOf } from "../tools/receipts.ts";

openLibraries();

const policyText = (words: string) =>
  `name = "mine"
version = "1"
description = "a test's"
[[forbid]]
id = "words"
words = ${words}
ignore_case = true
[[require]]
id = "form"
regex = '[^]*'
`;

Deno.test("policy:NAME: the kernel stops what one packet shows, the monitor all else, and the receipt tells", async () => {
  await using box = await Box.make({ model: { says: ["My", " HATED", " spi", "te"] } });
  const { state } = box.instance;
  const file = `${state}/mine.toml`;
  await Deno.writeTextFile(file, policyText('["hate", "spite"]'));
  const config = `[policy]\ndefault = "${file}"\n[diode]\nname = "policy:${file}"\n`;
  const daemon = box.serve({ config });
  const { diode } = await daemon.ready();
  assertEquals(diode!.name, "policy:mine");
  assertEquals(diode!.rules, { held: ["words", "limit:charset"], left: ["form"] });
  assertMatch(
    (await box.vei(["status"])).stdout,
    /diode policy:mine \(2 of 3 rules\), proved, link/,
  );

  const first = await (await box.tell("x")).json();
  // One packet may hold both words.
  assertMatch(first.choices[0].message.content, /^(My)?$/);
  assertEquals(first.vei.verdict.by, "kernel");

  // A reload takes monitor and kernel along. What lies in two packets is not the kernel's to find.
  await Deno.writeTextFile(file, policyText('["spite"]'));
  const reload = await box.vei(["reload"]);
  assertEquals(reload.code, 0, reload.stderr);
  assertMatch(reload.stdout, /^reloaded: policy file, diode file; generation 2\n/);
  const second = await (await box.tell("x")).json();
  assertEquals(second.choices[0].message.content, "My HATED ");
  const { by, rule } = second.vei.verdict;
  assertEquals([by, rule], ["monitor", "words"]);

  // A policy that no packet can be held to makes no diode: what was stays.
  await Deno.writeTextFile(
    file,
    'name="mine"\nversion="2"\ndescription="d"\nallow_everything=true\n' +
      '[limits]\ncharset = "bytes"\n',
  );
  const refused = await box.vei(["reload"]);
  assertEquals(refused.code, 78);
  assertMatch(refused.stderr, /no rule can be enforced on single packets.*\[diode-policy-empty\]/);

  const exchanges = (await receiptsOf(box)).filter(({ kind }) => kind === "exchange");
  for (const [i, words] of ['["hate", "spite"]', '["spite"]'].entries()) {
    const { policy, diode } = exchanges[i];
    const digest = await sha256(new TextEncoder().encode(policyText(words)));
    assertEquals([policy.sha256, diode!.source], [digest, digest]);
    assertEquals([diode!.name, diode!.rules], ["policy:mine", ["words", "limit:charset"]]);
  }
  await assertAllValid(box);
  await daemon.stop();
});
