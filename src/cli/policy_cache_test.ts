import { assert, assertEquals } from "@std/assert";
import { compilePolicy, judge } from "../api/policy.ts";
import { shippedPolicy } from "../../diodes/shipped.ts";
import { cachedPolicy } from "./policy_cache.ts";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-policies-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The one file of a folder. */
function fileIn(folder: string): string {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assertEquals(names.length, 1, names.join());
  return `${folder}/${names[0]}`;
}

/** Takes longer to compile than to read. */
const NAME = "reality-only";

Deno.test("a policy from the cache is the one that was compiled, number by number", () =>
  inFolder(async (folder) => {
    const text = shippedPolicy(NAME);
    const plain = await compilePolicy(text, NAME);
    const first = await cachedPolicy(text, NAME, folder);
    const file = fileIn(folder);
    const written = (await Deno.stat(file)).mtime;
    const again = await cachedPolicy(text, NAME, folder);
    assertEquals((await Deno.stat(fileIn(folder))).mtime, written, "it was compiled anew");
    assertEquals(first, plain);
    assertEquals(again, plain);
    assert(plain.policy.examples.length > 0);
    for (const { text, appliesTo } of plain.policy.examples) {
      assertEquals(judge(again[appliesTo], text), judge(plain[appliesTo], text), text);
    }
  }));

Deno.test("a damaged file of the cache is not believed, wherever the damage is", () =>
  inFolder(async (folder) => {
    const text = shippedPolicy(NAME);
    const plain = await cachedPolicy(text, NAME, folder);
    const whole = await Deno.readFile(fileIn(folder));
    for (const at of [0, 64, whole.length >> 1, whole.length - 1]) {
      const damaged = whole.slice();
      damaged[at] ^= 1;
      await Deno.writeFile(fileIn(folder), damaged);
      assertEquals(await cachedPolicy(text, NAME, folder), plain, `byte ${at}`);
      assertEquals((await Deno.readFile(fileIn(folder))).length, whole.length, "not mended");
    }
    await Deno.truncate(fileIn(folder), 10);
    assertEquals(await cachedPolicy(text, NAME, folder), plain);
  }));
