/** Without a policy that can be read and understood nothing is served. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { freshName, vei } from "../tools/vei.ts";

const GOOD = `name = "x"\nversion = "1"\ndescription = "d"\n[[forbid]]\nid = "a"\nwords = ["w"]\n`;

const CASES: Record<string, [policy: string | null, code: string]> = {
  "missing": [null, "policy-unreadable"],
  "empty": ["", "policy-invalid"],
  "without a rule": [GOOD.slice(0, GOOD.indexOf("[[")), "policy-invalid"],
  "with an unknown key": [`warn_only = true\n${GOOD}`, "policy-invalid"],
};

for (const [what, [policy, code]] of Object.entries(CASES)) {
  Deno.test(`a policy ${what}: refused to start, exit 78, nothing made`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "vei-policy-" });
    try {
      const path = `${folder}/p.toml`;
      if (policy !== null) await Deno.writeTextFile(path, policy);
      const config = `${folder}/vei.toml`;
      await Deno.writeTextFile(config, `[policy]\ndefault = "${path}"\n`);
      const common = ["--instance", freshName(), "--state", `${folder}/s`, "--config", config];
      const ran = await vei(["serve", "--model", "mock", ...common]);
      assertEquals([ran.code, ran.stdout], [78, ""], ran.stderr);
      assertStringIncludes(ran.stderr, `[${code}]`);
      const left = [...Deno.readDirSync(`${folder}/s`)].map(({ name }) => name);
      assertEquals(left.sort(), ["format", "lock"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

for (const [what, [policy, code]] of Object.entries(CASES)) {
  Deno.test(`a policy to choose, ${what}: refused to start as well`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "vei-policy-" });
    try {
      const path = `${folder}/p.toml`;
      if (policy !== null) await Deno.writeTextFile(path, policy);
      const config = `${folder}/vei.toml`;
      await Deno.writeTextFile(
        config,
        `[policy]\ndefault = "open"\nallow = ["printable", "${path}"]\n`,
      );
      const common = ["--instance", freshName(), "--state", `${folder}/s`, "--config", config];
      const ran = await vei(["serve", "--model", "mock", ...common]);
      assertEquals([ran.code, ran.stdout], [78, ""], ran.stderr);
      assertStringIncludes(ran.stderr, `[${code}]`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("a policy that is not shipped: the hint names those that are", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vei-policy-" });
  try {
    const config = `${folder}/vei.toml`;
    await Deno.writeTextFile(config, '[policy]\ndefault = "hatefull"\n');
    const common = ["--instance", freshName(), "--state", `${folder}/s`, "--config", config];
    const ran = await vei(["serve", "--model", "mock", ...common]);
    assertEquals(ran.code, 78);
    assertStringIncludes(ran.stderr, "shipped: secrets, hateless");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
