/** What the tests of set-up share. */
import { canonicalJson } from "../../src/base/canonical.ts";
import { sha256 } from "../../src/base/bytes.ts";
import { IMAGE_FILES, type Manifest } from "../../enclave/image/manifest.ts";

/** Gives `body` an empty folder and removes it afterwards. */
export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-test-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes something of an image's form, but a few bytes long, to `folder`. */
export async function makeFakeImage(folder: string, content = "content"): Promise<Manifest> {
  await Deno.mkdir(folder, { recursive: true });
  const files = {} as Manifest["files"];
  for (const name of IMAGE_FILES) {
    const bytes = new TextEncoder().encode(`${name} ${content}`);
    await Deno.writeFile(`${folder}/${name}`, bytes);
    files[name] = { sha256: await sha256(bytes), size: bytes.length };
  }
  const manifest: Manifest = {
    format: 1,
    recipe: "cd".repeat(32),
    suite: "forky",
    kernel: "7.1-cloud-amd64",
    packages: [{ name: "one", version: "1.1", sha256: "ef".repeat(32) }],
    files,
  };
  await Deno.writeTextFile(`${folder}/manifest.json`, canonicalJson(manifest));
  return manifest;
}

/** @returns every file under a folder with its content's digest, to tell whether anything changed. */
export async function snapshot(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) Object.assign(found, await snapshot(path));
    else if (entry.isSymlink) found[path] = `-> ${await Deno.readLink(path)}`;
    else found[path] = await sha256(await Deno.readFile(path));
  }
  return found;
}

/** @returns the state folder where `vei setup` ran before the tests. */
export function testState(): string {
  const state = Deno.env.get("VEI_TEST_STATE");
  if (state) return state;
  throw new Error("VEI_TEST_STATE names no state folder: run ./install.sh test");
}
