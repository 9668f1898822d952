import { assert, assertEquals, assertRejects } from "@std/assert";
import { compilePolicy } from "../api/policy.ts";
import { defaultConfig } from "../base/config.ts";
import { VeiError } from "../base/errors.ts";
import { compilePolicyDiode } from "../../diodes/policy_diode.ts";
import { shippedPolicy } from "../../diodes/shipped.ts";
import { policyApart, policyDiodeApart } from "./compile_apart.ts";
import { enclaveRules } from "./configured.ts";

/** Memory is given back some time after the thread has ended: longer than a test waits. */
const options = { sanitizeOps: false, sanitizeResources: false };

const RULES = enclaveRules(defaultConfig().link);
const policyOf = (rule: string) =>
  `name = "x"\nversion = "1"\ndescription = "x"\n[[forbid]]\nid = "r"\n${rule}\n`;

Deno.test(
  "what the thread compiles is what is compiled here, number by number",
  options,
  async () => {
    for (const name of ["reality-only", "json-only"]) {
      const text = shippedPolicy(name);
      const { compiled, ms } = await policyApart(text, name);
      assertEquals(compiled, await compilePolicy(text, name));
      assert(ms > 0);
      const plan = await policyDiodeApart(text, name, RULES);
      assertEquals(plan, await compilePolicyDiode(text, name, RULES));
    }
  },
);

Deno.test("others have their turn while the thread compiles", options, async () => {
  const order: string[] = [];
  const compiling = policyApart(shippedPolicy("secrets"), "secrets").then(() => order.push("end"));
  for (let turn = 0; turn < 20; turn++) {
    await new Promise((resolve) => setTimeout(resolve));
    order.push("turn");
  }
  await compiling;
  assertEquals(order.at(-1), "end");
});

const REFUSED: Record<string, string> = {
  "policy-invalid": "name = 3\n",
  "policy-too-large": policyOf("regex = '[ab]*a[ab]{3000}'"),
  "policy-forbids-everything": policyOf("regex = 'a*'"),
};

Deno.test("what cannot be compiled is refused as it is here", options, async () => {
  const told = async (work: Promise<unknown>) =>
    (await assertRejects(() => work, VeiError)).toJSON();
  for (const [code, text] of Object.entries(REFUSED)) {
    const error = await told(policyApart(text, "x.toml"));
    assertEquals(error.code, code);
    assertEquals(error, await told(compilePolicy(text, "x.toml")));
  }
  const empty = shippedPolicy("open");
  assertEquals(
    await told(policyDiodeApart(empty, "open", RULES)),
    await told(compilePolicyDiode(empty, "open", RULES)),
  );
});

Deno.test("an error of ours in the thread is one here", options, async () => {
  const nothing = null as unknown as string;
  const here = await assertRejects(() => compilePolicy(nothing, "x"), TypeError);
  const there = await assertRejects(() => policyApart(nothing, "x"), Error, here.message);
  assert(!(there instanceof VeiError));
  // What cannot be sent never gets to a thread.
  const unsendable = (() => {}) as unknown as string;
  await assertRejects(() => policyApart(unsendable, "x"), DOMException);
});
