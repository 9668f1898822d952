/** `vei diode prove | verify`: what is proved, what is not, and what was not asked. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { shippedDiodes } from "../../diodes/shipped.ts";
import { vei } from "../tools/vei.ts";

const SHIPPED = new URL("../../diodes/certificates/", import.meta.url).pathname;
const TOOL_OPTIONS = ["diode", "verify", "text", "--with"];

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-proof-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("everything that comes with vei is verified, without a solver", async () => {
  const { code, stdout, stderr } = await vei(["diode", "verify", "--all"]);
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^program +verified: \d+ conditions, \d+ clauses, \d+ steps/m);
  for (const name of shippedDiodes()) {
    assertMatch(stdout, new RegExp(`^${name} +verified: \\d+ pairs, \\d+ ms: \\S`, "m"));
  }
  assertStringIncludes(stdout, 'not contains "hate" within 512');
});

Deno.test("a certificate made anew is, byte for byte, the one that comes with vei", () =>
  inFolder(async (folder) => {
    for (const name of shippedDiodes()) {
      const { code, stdout, stderr } = await vei(["diode", "prove", name, "--out", folder]);
      assertEquals(code, 0, stderr);
      assertMatch(stdout, new RegExp(`^${name} +proved: `));
      assertEquals(
        await Deno.readTextFile(`${folder}/${name}.json`),
        await Deno.readTextFile(`${SHIPPED}${name}.json`),
      );
    }
  }));

Deno.test("a diode of one's own is proved, and its file verified as its predicate says", () =>
  inFolder(async (folder) => {
    const own = `${folder}/own.toml`;
    const predicate = "size < 90 and not matches /b[ae]d|\\\\bugly\\\\b/i";
    await Deno.writeTextFile(
      own,
      `name = "own"\ndescription = "of a test"\nscope = "packet"\npredicate = "${predicate}"\n`,
    );
    const proved = await vei(["diode", "prove", own, "--out", folder, "--json"]);
    assertEquals(proved.code, 0, proved.stderr);
    const [{ certificate, pairs }] = JSON.parse(proved.stdout);
    const file = `${folder}/own.json`;
    const verified = await vei(["diode", "verify", "--file", file, "--json"]);
    assertEquals(verified.code, 0, verified.stderr);
    const { diodes } = JSON.parse(verified.stdout);
    assertEquals(
      [diodes[0].certificate, diodes[0].pairs, diodes[0].predicate],
      [certificate, pairs, predicate.replaceAll("\\\\", "\\")],
    );
    // The same pairing beside another predicate: what is proved is what is printed.
    const text = await Deno.readTextFile(file);
    const refused: [string, number, string][] = [
      [text.replace("< 90", "< 91"), 1, "proof-certificate"],
      [text.replace("b[ae]d", "b[ai]d"), 1, "proof-certificate"],
      [text.replace("vei-table-proof/1", "vei-table-proof/2"), 65, "certificate-invalid"],
      [text.replace(/"certificate": "(.{40})/, '"certificate": "'), 1, "proof-certificate"],
      ["{", 65, "certificate-invalid"],
    ];
    for (const [content, exit, code] of refused) {
      await Deno.writeTextFile(file, content);
      const answer = await vei(["diode", "verify", "--file", file]);
      assertEquals([answer.code, /\[([a-z-]+)\]/.exec(answer.stderr)?.[1]], [exit, code]);
    }
    const none = await vei(["diode", "verify", "--file", `${folder}/none.json`]);
    assertEquals([none.code, /\[([a-z-]+)\]/.exec(none.stderr)?.[1]], [
      66,
      "certificate-unreadable",
    ]);
  }));

Deno.test("a program's certificate of somebody else's is checked as ours is", () =>
  inFolder(async (folder) => {
    const certificate = JSON.parse(await Deno.readTextFile(`${SHIPPED}program.json`));
    const file = `${folder}/program.json`;
    await Deno.writeTextFile(file, JSON.stringify(certificate));
    assertEquals((await vei(["diode", "verify", "--file", file])).code, 0);
    certificate.proofs["tail.end"] = certificate.proofs["tail.drop"];
    await Deno.writeTextFile(file, JSON.stringify(certificate));
    const { code, stderr } = await vei(["diode", "verify", "--file", file]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "[proof-certificate]");
  }));

Deno.test("a tool's answer is its own, and one that is not there has said nothing", async () => {
  const asked = await vei([...TOOL_OPTIONS, "z3,cadical"]);
  assertEquals(asked.code, 0, asked.stderr);
  assertMatch(asked.stdout, /^z3 +(\d+) of \1 conditions confirmed/m);
  assertMatch(asked.stdout, /^cadical +(\d+) of \1 conditions confirmed/m);
  const absent = await vei([...TOOL_OPTIONS, "drat-trim=/nowhere/drat-trim"]);
  assertEquals(absent.code, 2);
  assertMatch(absent.stdout, /^drat-trim +not installed/m);
  assert(!/drat-trim.*confirmed/.test(absent.stdout));
  // A program that answers something else confirms nothing.
  const wrong = await vei([...TOOL_OPTIONS, "cvc5=/bin/true"]);
  assertEquals(wrong.code, 1);
  assertMatch(wrong.stdout, /^cvc5 +0 of \d+ conditions confirmed/m);
  assertEquals((await vei([...TOOL_OPTIONS, "crystal-ball"])).code, 64);
});

Deno.test("what is proved of the program is written for other people's tools", () =>
  inFolder(async (folder) => {
    const { code, stderr } = await vei(["diode", "prove", "text", "--dump", folder]);
    assertEquals(code, 0, stderr);
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    for (const kind of ["smt2", "cnf", "lrat", "drat"]) {
      assert(names.includes(`entry.payload.${kind}`), names.join());
    }
    assertEquals(names.length % 4, 0);
    assertMatch(await Deno.readTextFile(`${folder}/entry.payload.smt2`), /\(check-sat\)\n$/);
  }));

Deno.test("tools are asked of the certificate that was given, and of its own places", () =>
  inFolder(async (folder) => {
    const text = await Deno.readTextFile(`${SHIPPED}program.json`);
    const file = `${folder}/program.json`;
    await Deno.writeTextFile(file, text.replaceAll("spent", "worn"));
    const { code, stdout, stderr } = await vei(
      ["diode", "verify", "--file", file, "--with", "cadical", "--json"],
    );
    assertEquals(code, 0, stderr);
    const { program: { conditions }, tools } = JSON.parse(stdout);
    assertEquals(tools.map(({ proved }: { proved: number }) => proved), [conditions]);
  }));

Deno.test("everything is proved anew, and what is written is that", () =>
  inFolder(async (folder) => {
    const { code, stderr } = await vei(
      ["diode", "prove", "--all", "--out", folder, "--dump", `${folder}/dump`],
    );
    assertEquals(code, 0, stderr);
    const { proofs } = JSON.parse(await Deno.readTextFile(`${folder}/program.json`));
    for (const name of shippedDiodes()) await Deno.stat(`${folder}/${name}.json`);
    const dumped = [...Deno.readDirSync(`${folder}/dump`)].map(({ name }) => name)
      .filter((name) => name.endsWith(".lrat"));
    assertEquals(dumped.sort(), Object.keys(proofs).map((name) => `${name}.lrat`).sort());
  }));
